/** What is said of a rollout: its steps, its pauses, and the deadline that stands still meanwhile. */
import { describe, expect, it } from '@jest/globals';
import {
  abort,
  actor,
  at,
  begin,
  fail,
  pause,
  promote,
  release,
  request,
  resume,
  start,
  step,
  succeed,
  wait,
} from '../../test/support/deployment-fixtures.js';
import { fold, evolve, type DeploymentState, type Fact } from './deployment.js';

/** The deployment must be done at 10:15. */
const running = (...facts: Fact[]): DeploymentState => fold([request, start(), begin('deploy'), step(0), ...facts]);
const after = (seconds: number, fact: Fact): Fact => ({
  ...fact,
  at: new Date(Date.parse(at) + seconds * 1000).toISOString(),
});

describe('a step', () => {
  it('begins once, with its service, its time and no word about it yet', () => {
    const state = fold([request, start(), begin('deploy'), step(0)]);
    expect(state.rollout).toEqual({ step: 0, service: 'api-server_r7', step_started_at: at });
    expect(evolve(state, after(5, step(0)))).toBe(state);
  });

  it('goes forward only', () => {
    const third = running(after(5, step(2)));
    expect(third.rollout).toMatchObject({ step: 2, step_started_at: '2026-02-03T10:00:05.000Z' });
    expect(evolve(third, step(1))).toBe(third);
    expect(evolve(third, step(2))).toBe(third);
  });

  it('forgets nothing that was said before', () => {
    const promoted = running(promote(true), step(1));
    expect(promoted.rollout).toMatchObject({ step: 1, promoted_step: 0, promoted_fully: true });
  });
});

describe('the deadline', () => {
  it('stands still while the rollout is paused, and goes on with what was left', () => {
    const paused = running(after(60, pause));
    expect(paused).not.toHaveProperty('deadline_at');
    expect(paused.rollout?.paused).toEqual({
      at: '2026-02-03T10:01:00.000Z',
      reason: 'let us look first',
      actor,
      left_ms: 14 * 60_000,
    });
    const resumed = evolve(paused, after(7200, resume));
    expect(resumed.deadline_at).toBe('2026-02-03T12:14:00.000Z');
    expect(resumed.rollout).not.toHaveProperty('paused');
  });

  it.each([
    ['resume', resume],
    ['promote', promote()],
    ['full promote', promote(true)],
    ['abort', abort],
  ])('goes on after a %s', (_, fact) => {
    expect(running(after(60, wait), after(7200, fact)).deadline_at).toBe('2026-02-03T12:14:00.000Z');
  });

  it('stands still again in the next pause', () => {
    const twice = running(after(60, pause), after(120, resume), after(180, pause), after(600, resume));
    // One minute in the first pause, seven in the second.
    expect(twice.deadline_at).toBe('2026-02-03T10:23:00.000Z');
  });

  it('that has passed already stays passed', () => {
    expect(running(after(1000, pause), after(2000, resume)).deadline_at).toBe('2026-02-03T10:31:40.000Z');
  });

  it('is not touched by what pauses nothing', () => {
    for (const fact of [promote(), abort, step(1)]) {
      expect(running(after(60, fact)).deadline_at).toBe('2026-02-03T10:15:00.000Z');
    }
  });
});

describe('the end of the deploy phase', () => {
  const skip: Fact = { type: 'phase_skipped', at, phase: 'deploy', reason: 'nothing to do' };

  it.each([
    ['done', succeed('deploy')],
    ['skipped', skip],
  ])('%s, ends a pause that came too late, and the deadline goes on with what was left', (_, end) => {
    const over = running(after(60, pause), after(7200, end));
    expect(over.deadline_at).toBe('2026-02-03T12:14:00.000Z');
    expect(over.rollout).toEqual({ step: 0, service: 'api-server_r7', step_started_at: at });
  });

  it.each([
    ['done', succeed('deploy')],
    ['skipped', skip],
  ])('%s, lets no pause begin any more', (_, end) => {
    const over = running(end);
    for (const fact of [pause, wait]) expect(evolve(over, after(60, fact))).toBe(over);
    const watched = evolve(over, begin('post_deploy'));
    expect(evolve(watched, after(60, pause))).toBe(watched);
  });

  it.each([
    ['the end of another phase', succeed('pre_deploy')],
    ['a failure after which it is tried again', fail('deploy', 1, 'docker_unavailable')],
    ['a worker that hands it over', release('deploy')],
  ])('is not %s: the pause holds', (_, fact) => {
    const held = running(after(60, pause), after(120, fact));
    expect(held.rollout).toHaveProperty('paused');
    expect(held).not.toHaveProperty('deadline_at');
  });
});

describe('resume', () => {
  it('ends the pause of a step, which has no other end', () => {
    expect(running(wait, resume).rollout).toMatchObject({ promoted_step: 0 });
  });

  it('goes back to where it was when a person had paused', () => {
    expect(running(pause, resume)).toEqual(running());
  });

  it('leaves the pauses of later steps alone', () => {
    expect(running(wait, resume, step(1), wait).rollout).toMatchObject({ step: 1, promoted_step: 0, paused: {} });
  });
});

describe('promote', () => {
  it('ends the current pause, whoever made it', () => {
    for (const fact of [pause, wait]) {
      const { rollout } = running(fact, promote());
      expect(rollout).toMatchObject({ promoted_step: 0 });
      expect(rollout).not.toHaveProperty('paused');
      expect(rollout).not.toHaveProperty('promoted_fully');
    }
  });

  it('leaves out all further steps where it is full, also after a single one', () => {
    expect(running(promote(true)).rollout).toMatchObject({ promoted_step: 0, promoted_fully: true });
    expect(running(promote(), promote(true)).rollout).toMatchObject({ promoted_fully: true });
  });

  it('before the pause of its step is counted for that step, and not for the next', () => {
    expect(running(promote(), step(1)).rollout).toMatchObject({ step: 1, promoted_step: 0 });
  });

  it('ends a pause that somebody made after a full one', () => {
    expect(running(promote(true), pause, promote()).rollout).not.toHaveProperty('paused');
  });
});

describe('abort', () => {
  it('ends the pause, so that the way back has its time', () => {
    const { rollout } = running(wait, abort);
    expect(rollout).toMatchObject({ aborted: { actor, reason: 'too many errors' } });
    expect(rollout).not.toHaveProperty('paused');
  });

  it('keeps the failure that it is for, so that whoever goes on knows', () => {
    const error = { code: 'health_check_failed', message: 'It fell ill.', retryable: false } as const;
    const fact = { type: 'rollout_aborted', at, actor, reason: error.message, error } as const;
    expect(running(fact, abort).rollout?.aborted).toEqual({ actor, reason: 'It fell ill.', error });
  });

  it('is the last word', () => {
    const aborted = running(abort);
    for (const fact of [pause, wait, resume, promote(), promote(true), abort]) {
      expect(evolve(aborted, fact)).toBe(aborted);
    }
  });
});

describe('a fact that changes nothing answers the state itself', () => {
  it.each<[string, Fact[], Fact]>([
    ['resume without a pause', [], resume],
    ['a pause in a pause', [pause], wait],
    ['a pause of the strategy in its own', [wait], wait],
    ['a second resume', [pause, resume], resume],
    ['a second promote in the same step', [promote()], promote()],
    ['a promote after a full one', [promote(true)], promote()],
    ['a second full promote', [promote(true)], promote(true)],
    ['a second abort', [abort], { ...abort, reason: 'again' } as Fact],
    ['a step that has begun', [step(1)], step(1)],
  ])('%s', (_, before, fact) => {
    const state = running(...before);
    expect(evolve(state, after(9, fact))).toBe(state);
  });
});

it('may be said before the first step, and holds then', () => {
  const early = fold([request, start(), begin('deploy'), pause]);
  expect(early.rollout).toMatchObject({ step: 0, paused: { actor } });
  expect(evolve(early, step(0)).rollout).toMatchObject({ step: 0, step_started_at: at, paused: { actor } });
});
