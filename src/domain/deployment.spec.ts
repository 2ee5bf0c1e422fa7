/** The state machine, proved by walking through every state that a deployment can get into. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { at, pause, request, resume } from '../../test/support/deployment-fixtures.js';
import { explore, rolloutFacts, type Node } from '../../test/support/deployment-walk.js';
import {
  decide,
  evolve,
  isTouched,
  settle,
  UNDO_CHANCES,
  type DeploymentState,
  type Fact,
  type FactType,
} from './deployment.js';
import {
  DEPLOYMENT_STATUSES,
  isFinal,
  MAX_INTERRUPTIONS,
  PHASE_RULES,
  PHASES,
  type DeploymentStatus,
  type Phase,
} from './phases.js';

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
  hook_ended: true,
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
  if (fact.type === 'deployment_rolled_back') return { status: 'rolled_back', rolled_back_by: fact.by };
  if (fact.type === 'rollback_ordered' && !rollback) return { rollback: { by: fact.by, release: fact.release } };
  if (fact.type === 'rollback_failed' && rollback && !rollback.error)
    return { rollback: { ...rollback, error: fact.error } };
  return undefined;
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

  it('after its deploy phase is not paused, and cannot be: nobody could end that any more', () => {
    const isOver = ({ status, phases }: DeploymentState): boolean =>
      !isFinal(status) && phases.deploy.status === 'succeeded';
    // The walk keeps one state of many that differ in their rollout only, so it is the steps that are looked at.
    const steps = [...nodes.values()].flatMap(({ state, next }) => next.map(({ fact }) => [state, fact] as const));
    const ends = steps.filter(([state, fact]) => state.rollout?.paused && isOver(evolve(state, fact)));
    expect(ends.length).toBeGreaterThan(0);
    for (const [state, fact] of steps) {
      const next = evolve(state, fact);
      if (!isOver(next)) continue;
      expect(next.rollout?.paused).toBeUndefined();
      expect(next.deadline_at).toBeDefined();
      expect(evolve(next, pause)).toBe(next);
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
