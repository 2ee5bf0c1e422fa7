/** How each fact reads: its event, its level, its words; and that each makes a valid entry. */
import { describe, expect, it } from '@jest/globals';
import {
  at,
  base,
  begin,
  fail,
  failure,
  promote,
  request,
  shift,
  start,
  step,
  succeed,
  supersede,
} from '../../test/support/deployment-fixtures.js';
import { READINGS } from '../../test/support/fact-readings.js';
import { assertValidEntry } from '../../test/support/log-assertions.js';
import { evolve, fold, type Fact } from './deployment.js';
import { describeFact } from './fact-log.js';
import { toEntry, type LogDraft } from './log-entry.js';
import { PHASES } from './phases.js';

/** The draft of the last fact, after those before it. */
function draftOf(...facts: [Fact, ...Fact[]]): LogDraft {
  const last = facts.at(-1)!;
  const before = facts.length > 1 ? fold(facts.slice(0, -1)) : undefined;
  return describeFact(last, evolve(before, last));
}

/** The draft as the store would number it. */
function entryOf(draft: LogDraft) {
  return toEntry({
    ...draft,
    deployment_id: 'dep-01jd0000000000000000000000',
    app_name: 'api-server',
    environment: 'production',
    sequence: 1,
    cursor: 'e.1',
    status: 'deploying',
    instance: 'node-1',
  });
}

describe('each fact', () => {
  it.each(Object.entries(READINGS))('%s has its event, its level and its words', async (_, reading) => {
    const draft = draftOf(...reading.facts);
    expect([draft.event_type, draft.level]).toEqual([reading.event, reading.level]);
    const { message } = reading;
    expect(draft.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(draft.metadata).toEqual(reading.metadata);
    expect(draft.at).toBe(reading.facts.at(-1)?.at);
    await assertValidEntry(entryOf(draft));
  });

  it.each(PHASES)('of %s has the events of that phase', (phase) => {
    const of = (...facts: Fact[]) => draftOf(request, start(), begin(phase), ...facts);
    const [name, error] =
      phase === 'pre_build' || phase === 'build' ? ['build', 'build_error'] : ['deploy', 'deploy_error'];
    const whole = phase === name;
    expect(of()).toMatchObject({ event_type: whole ? `${name}_start` : phase, phase, attempt: 1, component: phase });
    expect(of(succeed(phase))).toMatchObject({ event_type: whole ? `${name}_complete` : phase, phase, attempt: 1 });
    expect(of(fail(phase, 1, 'internal'))).toMatchObject({ event_type: error, phase, attempt: 1, level: 'error' });
  });
});

describe('the words', () => {
  it('say which attempt it is, and that a worker was lost', () => {
    const again = draftOf(request, start(), begin('build'), begin('build'));
    expect(again.message).toBe('Build started again: the worker before was lost');
    const retry = draftOf(request, start(), begin('build'), fail('build', 1, 'docker_unavailable'), begin('build', 2));
    expect(retry.message).toBe('Build started (attempt 2)');
  });

  it('say of a failure whether anybody noticed', () => {
    const end: Fact = { type: 'deployment_failed', at, error: failure('unhealthy') };
    const sentence = `Deployment failed: ${failure('unhealthy').message}`;
    const started = { ...(start() as Extract<Fact, { type: 'deployment_started' }>), base };
    const first = { ...started, base: { replicas: 0, retiring: [] } };
    expect(draftOf(request, first, end).message).toBe(`${sentence} No requests had reached it.`);
    expect(draftOf(request, started, end).message).toBe(`${sentence} Nothing was switched: release 6 still serves.`);
    expect(draftOf(request, started, begin('deploy'), shift(false), end).message).toContain('release 6 still serves');
    expect(draftOf(request, started, begin('deploy'), shift(true), end).message).toBe(sentence);
  });

  it('say that a promotion may be for good', () => {
    const draft = draftOf(request, start(), begin('deploy'), step(0), promote(true));
    expect(draft.message).toBe('Rollout promoted: all further steps are left out');
  });

  it('say who takes the place of a superseded deployment', () => {
    expect(draftOf(request, supersede)).toMatchObject({
      message: 'Superseded by dep-01jd0000000000000000000001',
      metadata: { superseded_by: 'dep-01jd0000000000000000000001' },
    });
  });

  it('say what a rollback takes back, and why', async () => {
    const { deployment } = request as Extract<Fact, { type: 'deployment_requested' }>;
    const rollback = { rollback_of: 'dep-01jd0000000000000000000009', reason: 'errors after release' };
    const draft = draftOf({ type: 'deployment_requested', at, deployment: { ...deployment, ...rollback } });
    expect(draft.metadata).toMatchObject(rollback);
    await assertValidEntry(entryOf(draft));
  });
});
