/** The state machine, proved by walking through every state that a deployment can get into. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  abort,
  at,
  begin,
  cancel,
  fail,
  failRollback,
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
} from '../../test/support/deployment-fixtures.js';
import { decide, evolve, isTouched, settle, UNDO_CHANCES, type DeploymentState, type Fact, type FactType } from './deployment.js';
import {
  DEPLOYMENT_STATUSES,
  isFinal,
  MAX_INTERRUPTIONS,
  PHASE_RULES,
  PHASES,
  type DeploymentStatus,
  type Phase,
} from './phases.js';

const requested = evolve(undefined, request);

/** The phases that can have nothing to do, in every combination. */
const OPTIONAL_PHASES = ['pre_build', 'pre_deploy', 'post_deploy'] as const satisfies readonly Phase[];
const STARTS: readonly Fact[] = Array.from({ length: 2 ** OPTIONAL_PHASES.length }, (_, bits) =>
  start(Object.fromEntries(OPTIONAL_PHASES.filter((_, bit) => bits & (1 << bit)).map((phase) => [phase, 'skip']))),
);

/** What happens to the traffic, and what people and the strategy say about it. */
const rolloutFacts = (phase: Phase, attempt: number): readonly Fact[] => [
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

/** Facts that follow from others: the walk need not add them. */
const CONSEQUENCES = [
  'phase_skipped',
  'deployment_succeeded',
  'deployment_failed',
  'deployment_cancelled',
] as const satisfies readonly FactType[];
/** A new type of fact must be named here, and then be met on the walk. */
const FACT_TYPES: Readonly<Record<FactType, true>> = {
  deployment_requested: true,
  deployment_started: true,
  phase_started: true,
  phase_released: true,
  phase_succeeded: true,
  phase_skipped: true,
  phase_failed: true,
  cancel_requested: true,
  traffic_shifted: true,
  rollout_step: true,
  rollout_paused: true,
  rollout_resumed: true,
  rollout_promoted: true,
  rollout_aborted: true,
  deployment_succeeded: true,
  deployment_failed: true,
  deployment_cancelled: true,
  rollback_ordered: true,
  deployment_rolled_back: true,
  rollback_failed: true,
};

interface Node {
  readonly state: DeploymentState;
  readonly next: { readonly fact: Fact; readonly key: string }[];
}

function explore(): Map<string, Node> {
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

/** The contract's arrows; a deployment that was never started can only be cancelled. */
const ARROWS: Readonly<Record<DeploymentStatus, readonly DeploymentStatus[]>> = {
  pending: ['building', 'cancelled'],
  building: ['deploying', 'failed', 'cancelled'],
  deploying: ['success', 'failed', 'cancelled'],
  success: [],
  failed: ['rolled_back'],
  rolled_back: [],
  cancelled: [],
};

/** What an ended deployment learns of the fact. */
function rollbackChange({ status, rollback }: DeploymentState, fact: Fact): Partial<DeploymentState> | undefined {
  if (status !== 'failed') return undefined;
  switch (fact.type) {
    case 'rollback_ordered':
      return rollback ? undefined : { rollback: { by: fact.by, release: fact.release } };
    case 'rollback_failed':
      return rollback && !rollback.error ? { rollback: { ...rollback, error: fact.error } } : undefined;
    case 'deployment_rolled_back':
      return { status: 'rolled_back', rolled_back_by: fact.by };
    default:
      return undefined;
  }
}

describe('every state that a deployment can get into', () => {
  let nodes: Map<string, Node>;
  let states: DeploymentState[];
  let ended: DeploymentState[];
  beforeAll(() => {
    nodes = explore();
    states = Array.from(nodes.values(), ({ state }) => state);
    ended = states.filter(({ status }) => isFinal(status));
  });

  it('is walked through: each status, each phase in each of its attempts', () => {
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(DEPLOYMENT_STATUSES));
    for (const phase of PHASES) {
      const attempts = new Set(
        states
          .map((state) => state.phases[phase])
          .filter(({ status }) => status === 'running')
          .map(({ attempt }) => attempt),
      );
      expect(attempts.size).toBe(PHASE_RULES[phase].max_attempts);
    }
  });

  it('is reached by every kind of fact', () => {
    const ways = Array.from(nodes.values()).flatMap(({ next }) => next.map(({ fact }) => fact.type));
    expect(new Set([request.type, ...ways, ...CONSEQUENCES])).toEqual(new Set(Object.keys(FACT_TYPES)));
  });

  it('has a way on, and waits only before the start', () => {
    for (const state of states.filter(({ status }) => !isFinal(status))) {
      const expected = state.started_at === undefined ? 'wait' : 'run';
      expect(decide(state).kind).toBe(expected);
    }
  });

  it('leads to an end', () => {
    const reaching = new Set([...nodes].filter(([, { state }]) => isFinal(state.status)).map(([key]) => key));
    for (let grown = true; grown;) {
      grown = false;
      for (const [key, { next }] of nodes) {
        if (reaching.has(key) || !next.some((edge) => reaching.has(edge.key))) continue;
        reaching.add(key);
        grown = true;
      }
    }
    expect([...nodes.keys()].filter((key) => !reaching.has(key))).toEqual([]);
  });

  it('once ended decides nothing, and nothing changes it but what becomes of the rollback of a failure', () => {
    const facts = Array.from(nodes.values()).flatMap(({ next }) => next.map(({ fact }) => fact));
    const oneOfEachType = [...new Map(facts.map((fact) => [fact.type, fact])).values()];
    for (const state of ended) {
      expect(decide(state)).toEqual({ kind: 'nothing' });
      const changing = oneOfEachType.filter((fact) => evolve(state, fact) !== state);
      expect(changing).toEqual(oneOfEachType.filter((fact) => rollbackChange(state, fact) !== undefined));
      for (const fact of changing) expect(evolve(state, fact)).toEqual({ ...state, ...rollbackChange(state, fact) });
    }
  });

  it('once ended has no phase that seems to wait or run, and says why it ended', () => {
    for (const state of ended) {
      const statuses = PHASES.map((phase) => state.phases[phase].status);
      expect(statuses.filter((status) => status === 'pending' || status === 'running')).toEqual([]);
      expect(state.finished_at).toBe(at);
      expect(state.error === undefined).toBe(state.status === 'success');
      if (state.status === 'success') expect(statuses).not.toContain('failed');
      if (state.status === 'failed') expect(state.failed_phase).toBeDefined();
    }
  });

  it('stays within the bounds of attempts and interruptions', () => {
    const largest = (phase: Phase, count: 'attempt' | 'interruptions'): number =>
      states.reduce((most, state) => Math.max(most, state.phases[phase][count]), 0);
    for (const phase of PHASES) {
      expect(largest(phase, 'attempt')).toBe(PHASE_RULES[phase].max_attempts);
      expect(largest(phase, 'interruptions')).toBeLessThanOrEqual(MAX_INTERRUPTIONS + UNDO_CHANCES);
    }
  });

  it('follows from the one before along the arrows of the contract', () => {
    for (const { state, next } of nodes.values()) {
      for (const { key } of next) {
        const status = nodes.get(key)!.state.status;
        if (status !== state.status) expect(ARROWS[state.status]).toContain(status);
      }
    }
  });

  it('runs a phase only when those before it are over, and has the status of that phase', () => {
    for (const state of states) {
      const decision = decide(state);
      if (decision.kind !== 'run') continue;
      const before = PHASES.slice(0, PHASES.indexOf(decision.phase));
      for (const phase of before) expect(['succeeded', 'skipped']).toContain(state.phases[phase].status);
      const { status } = state.phases[decision.phase];
      if (status === 'running') expect(state.status).toBe(PHASE_RULES[decision.phase].status);
    }
  });

  it('goes on by its phases alone: what is said of the rollout is for the worker to hear, and stops no clock for ever', () => {
    const facts = rolloutFacts('deploy', 1);
    for (const state of states.filter(({ status }) => !isFinal(status))) {
      const decision = JSON.stringify(decide(state));
      expect(facts.filter((fact) => JSON.stringify(decide(evolve(state, fact))) !== decision)).toEqual([]);
      const stands = state.started_at !== undefined && state.deadline_at === undefined;
      if (stands) expect(evolve(state, resume).deadline_at).toBeDefined();
    }
  });

  it('is settled: nothing more follows from it by itself', () => {
    for (const state of states) expect(settle(state, at)).toEqual([]);
  });

  it('goes on towards its end as soon as it is cancelled and nobody works on it', () => {
    for (const state of states) {
      const running = PHASES.some((phase) => state.phases[phase].status === 'running');
      // A touched service is first taken back by a worker.
      const touched = isTouched(state);
      if (!isFinal(state.status) && !running && !touched) expect(state.cancel).toBeUndefined();
    }
  });
});
