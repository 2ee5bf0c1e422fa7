/** The course of single deployments: the order of phases, retries, interruptions, cancelling. */
import { describe, expect, it } from '@jest/globals';
import {
  at,
  begin,
  cancel,
  fail,
  release,
  request,
  start,
  succeed,
  supersede,
} from '../../test/support/deployment-fixtures.js';
import { decide, evolve, fold, settle, type DeploymentState, type Fact } from './deployment.js';
import { MAX_INTERRUPTIONS, PHASES } from './phases.js';

/** The state after the fact and what follows from it at once. */
function after(state: DeploymentState, fact: Fact): DeploymentState {
  const next = evolve(state, fact);
  return settle(next, at).reduce<DeploymentState>(evolve, next);
}

const run = (...facts: Fact[]): DeploymentState => facts.reduce(after, evolve(undefined, request));

describe('a deployment', () => {
  it('begins with its request', () => {
    expect(() => fold([])).toThrow(/at least one fact/);
    expect(() => fold([start()])).toThrow(/begins with deployment_requested/);
  });

  it('runs its five phases in order to success', () => {
    const state = run(start(), ...PHASES.flatMap((phase) => [begin(phase), succeed(phase)]));
    expect(state).toMatchObject({ status: 'success', outputs: { image: 'api-server@sha256:1' } });
  });

  it('tries again after a failure that may pass, later each time, and gives up after the last attempt', () => {
    const once = run(start(), begin('pre_build'), fail('pre_build', 1, 'docker_unavailable'));
    expect(decide(once)).toMatchObject({ kind: 'run', phase: 'pre_build', attempt: 2 });
    const twice = [begin('pre_build', 2), fail('pre_build', 2, 'docker_unavailable')].reduce(after, once);
    const delay = (state: DeploymentState) => (decide(state) as { delay_ms: number }).delay_ms;
    expect(delay(once)).toBeGreaterThan(0);
    expect(delay(twice)).toBeGreaterThanOrEqual(delay(once));
    const thrice = [begin('pre_build', 3), fail('pre_build', 3, 'docker_unavailable')].reduce(after, twice);
    expect(thrice).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_build',
      error: { code: 'docker_unavailable' },
    });
  });

  it('fails at once where trying again cannot help', () => {
    const state = run(start(), begin('pre_build'), fail('pre_build', 1, 'archive_unsafe'));
    expect(state).toMatchObject({ status: 'failed', failed_phase: 'pre_build', error: { code: 'archive_unsafe' } });
    expect(state.phases.build).toMatchObject({ status: 'skipped', skipped_because: 'the deployment ended before' });
  });

  it('gives up a phase whose worker dies again and again, but not one that is handed over', () => {
    const lost = Array.from({ length: MAX_INTERRUPTIONS }, () => begin('pre_build'));
    expect(run(start(), begin('pre_build'), ...lost.slice(1)).status).toBe('building');
    expect(run(start(), begin('pre_build'), ...lost)).toMatchObject({
      status: 'failed',
      error: { code: 'worker_lost' },
    });

    const handedOver = Array.from({ length: 2 * MAX_INTERRUPTIONS }, () => [
      begin('pre_build'),
      release('pre_build'),
    ]).flat();
    expect(decide(run(start(), ...handedOver))).toEqual({ kind: 'run', phase: 'pre_build', attempt: 1, delay_ms: 0 });
  });

  it('that is cancelled ends at once before its start, and after the running phase later', () => {
    expect(run(cancel)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
    expect(run(supersede)).toMatchObject({ status: 'cancelled', error: { code: 'superseded' } });
    const running = run(start(), begin('pre_build'), cancel);
    expect(running.status).toBe('building');
    expect(after(running, fail('pre_build', 1, 'cancelled')).status).toBe('cancelled');
  });

  it('skips what has nothing to do, and says why', () => {
    const state = run(start({ pre_build: 'no source' }));
    expect(state.phases.pre_build).toMatchObject({ status: 'skipped', skipped_because: 'no source' });
    expect(decide(state)).toMatchObject({ kind: 'run', phase: 'build', attempt: 1 });
  });
});
