/** The walk through every state that a deployment can get into. */
import {
  abort,
  at,
  begin,
  cancel,
  fail,
  failRollback,
  hook,
  orderRollback,
  pause,
  promote,
  release,
  request,
  resume,
  rollBack,
  shift,
  start,
  step,
  succeed,
  supersede,
  wait,
} from './deployment-fixtures.js';
import { decide, evolve, settle, type DeploymentState, type Fact } from '../../src/domain/deployment.js';
import { HOOKS } from '../../src/domain/hooks.js';
import { isFinal, PHASES, type Phase } from '../../src/domain/phases.js';

const requested = evolve(undefined, request);

/** The phases that can have nothing to do, in every combination. */
const OPTIONAL_PHASES = ['pre_build', 'pre_deploy', 'post_deploy'] as const satisfies readonly Phase[];
const STARTS: readonly Fact[] = Array.from({ length: 2 ** OPTIONAL_PHASES.length }, (_, bits) =>
  start(Object.fromEntries(OPTIONAL_PHASES.filter((_, bit) => bits & (1 << bit)).map((phase) => [phase, 'skip']))),
);

/** What happens to the traffic, and what people and the strategy say about it. */
export const rolloutFacts = (phase: Phase, attempt: number): readonly Fact[] => [
  shift(false, phase, attempt),
  shift(true, phase, attempt),
  step(0, phase, attempt),
  step(1, phase, attempt),
  pause,
  wait,
  resume,
  promote(),
  promote(true),
  abort,
];
const ROLLBACK_FACTS = [orderRollback, rollBack, failRollback] as const;

/**
 * Whether the traffic may move here. Its states and those of the phases are multiplied by each other, so the walk takes it through
 * all of its own in the first attempt of an undisturbed phase, and carries it on through everything else from there.
 */
function rolls(state: DeploymentState, phase: Phase): boolean {
  const { status, attempt, interruptions } = state.phases[phase];
  const undisturbed = status === 'running' && attempt === 1 && interruptions === 0 && state.cancel === undefined;
  return phase === 'deploy' && undisturbed && Object.keys(state.skips).length === 0;
}

/** What the workers, the reconciler and the users can add to this state. */
function possibleFacts(state: DeploymentState): readonly Fact[] {
  const decision = decide(state);
  if (decision.kind === 'nothing') return state.status === 'failed' ? ROLLBACK_FACTS : [];
  if (decision.kind === 'wait') return [cancel, supersede, ...STARTS];
  if (decision.kind !== 'run') throw new Error(`${decision.kind} must have been settled`);

  const { phase, attempt } = decision;
  // Running already, it begins again when its worker was lost; the deadline can pass even while nobody works.
  const always = [cancel, supersede, begin(phase, attempt), fail(phase, attempt, 'deployment_timeout')];
  if (state.phases[phase].status !== 'running') return always;
  return [
    ...always,
    ...(rolls(state, phase) ? rolloutFacts(phase, attempt) : []),
    ...HOOKS.filter((name) => name === phase).map((name) => hook(name, attempt)),
    succeed(phase, attempt),
    release(phase, attempt),
    fail(phase, attempt, 'docker_unavailable'),
    fail(phase, attempt, 'unhealthy'),
    fail(phase, attempt, 'cancelled'),
  ];
}

/** The state after the fact and all that follows from it at once, as the store applies it. */
function after(state: DeploymentState, fact: Fact): DeploymentState {
  const next = evolve(state, fact);
  return settle(next, at).reduce<DeploymentState>(evolve, next);
}

/**
 * What two states must share to be the same: times and texts are left out, and of phases that are over all but how they
 * ended, since `decide` and `evolve` never look at more of them.
 */
function signature(state: DeploymentState): string {
  const phases = PHASES.map((phase) => {
    const { status, attempt, interruptions, started_at, error } = state.phases[phase];
    return status === 'succeeded' || status === 'skipped'
      ? status
      : [status, attempt, interruptions, started_at !== undefined, error?.code, error?.retryable];
  });
  const cancel = state.cancel && (state.cancel.superseded_by ?? 'user');
  const rollback = state.rollback && (state.rollback.error ? 'failed' : 'ordered');
  const end = [state.error?.code, state.failed_phase, rollback];
  return JSON.stringify([state.status, phases, state.skips, cancel, end, trafficSignature(state)]);
}

/** All of the rollout while it may move; afterwards only what counts for the end: whether anybody met the version. */
function trafficSignature(state: DeploymentState): unknown {
  const { has_served = false, deadline_at, rollout } = state;
  if (isFinal(state.status) || !rolls(state, 'deploy')) return has_served;
  const { step: number, step_started_at, paused, promoted_step, promoted_fully, aborted } = rollout ?? { step: -1 };
  const said = [paused?.actor.kind, promoted_step, promoted_fully, aborted !== undefined];
  return [has_served, deadline_at !== undefined, number, step_started_at !== undefined, ...said];
}

export interface Node {
  readonly state: DeploymentState;
  readonly next: { readonly fact: Fact; readonly key: string }[];
}

/** Every state, by its signature. */
export function explore(): Map<string, Node> {
  const nodes = new Map<string, Node>();
  const frontier = [requested];
  nodes.set(signature(requested), { state: requested, next: [] });
  for (let state = frontier.shift(); state; state = frontier.shift()) {
    for (const fact of possibleFacts(state)) {
      const next = after(state, fact);
      const key = signature(next);
      nodes.get(signature(state))?.next.push({ fact, key });
      if (nodes.has(key)) continue;
      nodes.set(key, { state: next, next: [] });
      if (nodes.size > 30_000) throw new Error(`there is no end of states: ${key}`);
      frontier.push(next);
    }
  }
  return nodes;
}
