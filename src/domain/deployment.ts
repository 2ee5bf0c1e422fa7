/**
 * A deployment as a fold over its facts. `evolve` says what a fact changes, `decide` what must happen next, `settle`
 * adds the facts that follow at once. All pure: the time is in the facts.
 */
import { DeployError, type Failure } from './errors.js';
import type { DeploymentState, Fact, PhaseState } from './facts.js';
import type { HookResult } from './hooks.js';
import { endLatePause, evolveRollout } from './rollout-state.js';
import {
  backoffBefore,
  isFinal,
  MAX_INTERRUPTIONS,
  PHASE_RULES,
  PHASES,
  type DeploymentStatus,
  type Phase,
  type PhaseStatus,
} from './phases.js';

export type * from './facts.js';

export type Decision =
  /** Another deployment of the app runs; the store starts this one when its turn comes. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'run'; readonly phase: Phase; readonly attempt: number; readonly delay_ms: number }
  | { readonly kind: 'skip'; readonly phase: Phase; readonly reason: string }
  | { readonly kind: 'succeed' }
  | { readonly kind: 'fail'; readonly error: Failure; readonly phase: Phase }
  | { readonly kind: 'cancel'; readonly error: Failure }
  | { readonly kind: 'nothing' };

/** How often a worker may die while it takes a change back, before that is given up too. */
export const UNDO_CHANCES = 3;

const UNTOUCHED: PhaseState = { status: 'pending', attempt: 0, interruptions: 0 };

/** The state after `fact`. The first fact of every deployment is `deployment_requested`. */
export function evolve(state: DeploymentState | undefined, fact: Fact): DeploymentState {
  if (fact.type === 'deployment_requested') {
    if (state !== undefined) return state;
    const { deployment: identity, at } = fact;
    const phases = Object.fromEntries(PHASES.map((phase) => [phase, UNTOUCHED])) as Record<Phase, PhaseState>;
    return { identity, status: 'pending', phases, skips: {}, outputs: {}, requested_at: at };
  }
  if (state === undefined) throw new Error(`a deployment begins with deployment_requested, not ${fact.type}`);
  if (isFinal(state.status)) return afterwards(state, fact);

  const { at } = fact;
  switch (fact.type) {
    case 'deployment_started':
      return {
        ...state,
        status: PHASE_RULES[PHASES[0]].status,
        started_at: at,
        deadline_at: fact.deadline_at,
        replicas: fact.replicas,
        skips: fact.skips,
        outputs: fact.outputs ?? {},
        ...(fact.base && { base: fact.base }),
      };
    case 'phase_started': {
      const before = state.phases[fact.phase];
      const resumed = before.status === 'running' && before.attempt === fact.attempt;
      const started_at = before.started_at ?? at;
      return {
        ...withPhase(state, fact.phase, {
          status: 'running',
          attempt: fact.attempt,
          begun: (before.begun ?? 0) + 1,
          interruptions: resumed ? before.interruptions + 1 : 0,
          started_at,
        }),
        status: PHASE_RULES[fact.phase].status,
      };
    }
    case 'phase_released': {
      const { status: _, ...before } = state.phases[fact.phase];
      return withPhase(state, fact.phase, { ...before, status: 'pending', attempt: fact.attempt - 1 });
    }
    case 'phase_succeeded': {
      const next = withPhase(state, fact.phase, ended(state.phases[fact.phase], 'succeeded', at));
      return endLatePause({ ...next, outputs: { ...state.outputs, ...fact.outputs } }, at);
    }
    case 'phase_skipped': {
      const skipped = { ...state.phases[fact.phase], status: 'skipped', skipped_because: fact.reason } as const;
      return endLatePause(withPhase(state, fact.phase, skipped), at);
    }
    case 'hook_ended':
      return {
        ...state,
        hooks: [...(state.hooks ?? []).filter((other) => !isSameHook(other, fact.result)), fact.result],
      };
    case 'phase_failed':
      return withPhase(state, fact.phase, { ...ended(state.phases[fact.phase], 'failed', at), error: fact.error });
    case 'cancel_requested': {
      if (state.cancel) return state;
      const { actor, reason, superseded_by } = fact;
      return { ...state, cancel: { actor, reason, ...(superseded_by && { superseded_by }) } };
    }
    case 'traffic_shifted':
      return {
        ...state,
        traffic: fact.traffic,
        retiring: fact.retiring,
        ...(fact.serving && { has_served: true }),
      };
    case 'rollout_step':
    case 'rollout_paused':
    case 'rollout_resumed':
    case 'rollout_promoted':
    case 'rollout_aborted':
      return evolveRollout(state, fact);
    case 'deployment_succeeded':
      return finished(state, 'success', at);
    case 'deployment_failed':
      return {
        ...finished(state, 'failed', at),
        error: fact.error,
        ...(fact.phase && { failed_phase: fact.phase }),
      };
    case 'deployment_cancelled':
      return { ...finished(state, 'cancelled', at), error: fact.error };
    case 'rollback_ordered':
    case 'deployment_rolled_back':
    case 'rollback_failed':
      return state;
  }
}

/** An ended deployment only learns what becomes of its rollback. */
function afterwards(state: DeploymentState, fact: Fact): DeploymentState {
  if (state.status !== 'failed') return state;
  const { rollback } = state;
  if (fact.type === 'deployment_rolled_back') return { ...state, status: 'rolled_back', rolled_back_by: fact.by };
  if (fact.type === 'rollback_ordered' && !rollback)
    return { ...state, rollback: { by: fact.by, release: fact.release } };
  if (fact.type === 'rollback_failed' && rollback && !rollback.error)
    return { ...state, rollback: { ...rollback, error: fact.error } };
  return state;
}

export function fold(facts: Iterable<Fact>): DeploymentState {
  let state: DeploymentState | undefined;
  for (const fact of facts) state = evolve(state, fact);
  if (state === undefined) throw new Error('a deployment has at least one fact');
  return state;
}

/** What must happen next. A running phase stays claimable: whether its worker lives is the lease's to say, not the state's. */
export function decide(state: DeploymentState): Decision {
  if (isFinal(state.status)) return { kind: 'nothing' };
  const phase = PHASES.find((name) => !['succeeded', 'skipped'].includes(state.phases[name].status));
  const current = phase && state.phases[phase];

  if (state.started_at === undefined) return state.cancel ? cancelled(state.cancel) : { kind: 'wait' };
  if (phase === undefined || current === undefined) return { kind: 'succeed' };
  // Once the service was touched a worker must take the change back, so the next phase is claimed even so.
  if (state.cancel && current.status === 'pending' && !isTouched(state)) return cancelled(state.cancel);

  switch (current.status) {
    case 'pending': {
      const reason = state.skips[phase];
      if (reason !== undefined) return { kind: 'skip', phase, reason };
      return { kind: 'run', phase, attempt: current.attempt + 1, delay_ms: 0 };
    }
    case 'running':
      // A touched service gives workers a few more chances, in which they only take the change back.
      if (current.interruptions >= MAX_INTERRUPTIONS + (isTouched(state) ? UNDO_CHANCES : 0)) {
        return { kind: 'fail', phase, error: new DeployError('worker_lost').toFailure() };
      }
      return { kind: 'run', phase, attempt: current.attempt, delay_ms: 0 };
    case 'failed': {
      const error = current.error ?? new DeployError('internal').toFailure();
      const attempt = current.attempt + 1;
      const over = !error.retryable || attempt > PHASE_RULES[phase].max_attempts;
      if (state.cancel && (over || !isTouched(state))) return cancelled(state.cancel);
      if (over) return { kind: 'fail', phase, error };
      const delay_ms = state.cancel ? 0 : backoffBefore(phase, attempt, state.identity.id);
      return { kind: 'run', phase, attempt, delay_ms };
    }
    case 'succeeded':
    case 'skipped':
      throw new Error(`phase ${phase} is over`);
  }
}

/** Whether the deployment may have changed the service. */
export function isTouched(state: DeploymentState): boolean {
  return state.phases.deploy.started_at !== undefined;
}

/** The facts that follow from the state without any work: skipped phases and the end of the deployment. */
export function settle(state: DeploymentState, at: string): Fact[] {
  const facts: Fact[] = [];
  for (let now = state; ;) {
    const fact = consequence(decide(now), at);
    if (fact === undefined) return facts;
    facts.push(fact);
    now = evolve(now, fact);
  }
}

function consequence(decision: Decision, at: string): Fact | undefined {
  switch (decision.kind) {
    case 'skip':
      return { type: 'phase_skipped', at, phase: decision.phase, reason: decision.reason };
    case 'succeed':
      return { type: 'deployment_succeeded', at };
    case 'fail':
      return { type: 'deployment_failed', at, error: decision.error, phase: decision.phase };
    case 'cancel':
      return { type: 'deployment_cancelled', at, error: decision.error };
    case 'wait':
    case 'run':
    case 'nothing':
      return undefined;
  }
}

function cancelled({ superseded_by, reason }: NonNullable<DeploymentState['cancel']>): Decision {
  const error = superseded_by
    ? new DeployError('superseded', `Superseded by ${superseded_by}.`)
    : new DeployError('cancelled', reason ? `Cancelled: ${reason}` : undefined);
  return { kind: 'cancel', error: error.toFailure() };
}

function isSameHook(one: HookResult, other: HookResult): boolean {
  return one.plugin === other.plugin && one.hook === other.hook;
}

function withPhase(state: DeploymentState, phase: Phase, next: PhaseState): DeploymentState {
  return { ...state, phases: { ...state.phases, [phase]: next } };
}

function ended(phase: PhaseState, status: PhaseStatus, at: string): PhaseState {
  return { ...phase, status, finished_at: at };
}

/** Phases that were never reached are skipped, so that an ended deployment has no phase that seems to wait. */
function finished(state: DeploymentState, status: DeploymentStatus, at: string): DeploymentState {
  const phases = { ...state.phases };
  for (const phase of PHASES) {
    const current = phases[phase];
    if (current.status === 'pending')
      phases[phase] = { ...current, status: 'skipped', skipped_because: 'the deployment ended before' };
    if (current.status === 'running') phases[phase] = ended(current, 'failed', at);
  }
  return { ...state, status, phases, finished_at: at };
}
