/** How each fact reads: its event, its level, its words; and that each makes a valid entry. */
import { describe, expect, it } from '@jest/globals';
import {
  abort,
  at,
  base,
  begin,
  cancel,
  fail,
  failRollback,
  failure,
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
import { assertValidEntry } from '../../test/support/log-assertions.js';
import { evolve, fold, type Fact, type FactType } from './deployment.js';
import { describeFact } from './fact-log.js';
import { toEntry, type EventMetadata, type LogDraft, type LogLevel } from './log-entry.js';
import { PHASES } from './phases.js';

const later = '2026-02-03T10:00:02.500Z';

/** The draft of the last fact, after those before it. */
function draftOf(...facts: [Fact, ...Fact[]]): LogDraft {
  const last = facts.at(-1)!;
  const before = facts.length > 1 ? fold(facts.slice(0, -1)) : undefined;
  return describeFact(last, evolve(before, last));
}

interface Reading {
  readonly facts: [Fact, ...Fact[]];
  readonly event: string | undefined;
  readonly level: LogLevel;
  readonly message: string | RegExp;
  readonly metadata?: EventMetadata;
}

const failed: [Fact, ...Fact[]] = [request, start(), { type: 'deployment_failed', at, error: failure('unhealthy') }];

const READINGS: Readonly<Record<FactType, Reading>> = {
  deployment_requested: {
    facts: [request],
    event: 'deploy_start',
    level: 'info',
    message: 'Deployment of api-server 1.0.0 to production requested: api-server:1.0.0',
    metadata: { version: '1.0.0', actor: 'operator', agent: 'claude' },
  },
  deployment_started: {
    facts: [request, start()],
    event: undefined,
    level: 'info',
    message: /must be done by 2026-02-03T10:15:00.000Z/,
    metadata: { replicas_to: 2 },
  },
  phase_started: {
    facts: [request, start(), begin('build')],
    event: 'build_start',
    level: 'info',
    message: 'Build started',
  },
  phase_released: {
    facts: [request, start(), begin('build'), release('build')],
    event: undefined,
    level: 'warn',
    message: 'Build handed over: this worker shuts down',
  },
  phase_succeeded: {
    facts: [request, start(), begin('build'), { ...succeed('build'), at: later }],
    event: 'build_complete',
    level: 'info',
    message: 'Build done',
    metadata: { duration_ms: 2500, image: 'api-server@sha256:1' },
  },
  phase_skipped: {
    facts: [request, start(), { type: 'phase_skipped', at, phase: 'pre_build', reason: 'no source' }],
    event: 'pre_build',
    level: 'info',
    message: 'Pre-build checks skipped: no source',
    metadata: { reason: 'no source' },
  },
  phase_failed: {
    facts: [request, start(), begin('deploy'), { ...fail('deploy', 1, 'out_of_memory'), at: later }],
    event: 'deploy_error',
    level: 'error',
    message: /^Deploy failed: The program used more memory/,
    metadata: {
      duration_ms: 2500,
      error_code: 'out_of_memory',
      error_message: failure('out_of_memory').message,
      hint: 'Raise resources.memory_mb.',
    },
  },
  cancel_requested: {
    facts: [request, cancel],
    event: undefined,
    level: 'warn',
    message: 'Cancel requested by operator',
    metadata: { actor: 'operator', agent: 'claude', reason: 'wrong version' },
  },
  deployment_succeeded: {
    facts: [request, start(), begin('build'), succeed('build'), { type: 'deployment_succeeded', at: later }],
    event: 'deploy_complete',
    level: 'info',
    message: 'api-server 1.0.0 is live as release 7',
    metadata: { version: '1.0.0', duration_ms: 2500, image: 'api-server@sha256:1' },
  },
  deployment_failed: {
    facts: [
      request,
      start(),
      { type: 'deployment_failed', at: later, error: { ...failure('unhealthy'), evidence: ['503'] }, phase: 'deploy' },
    ],
    event: 'deploy_error',
    level: 'error',
    message: /^Deployment failed in deploy: The health check/,
    metadata: {
      duration_ms: 2500,
      error_code: 'unhealthy',
      error_message: failure('unhealthy').message,
      details: { evidence: ['503'] },
    },
  },
  deployment_cancelled: {
    facts: [request, { type: 'deployment_cancelled', at: later, error: failure('cancelled') }],
    event: 'deploy_error',
    level: 'error',
    message: 'The deployment was cancelled.',
    metadata: { duration_ms: 2500, error_code: 'cancelled', error_message: failure('cancelled').message },
  },
  traffic_shifted: {
    facts: [request, start(), begin('deploy'), shift(true)],
    event: undefined,
    level: 'info',
    message: 'All requests go to api-server_r7',
  },
  rollout_step: {
    facts: [request, start(), begin('deploy'), step(1)],
    event: undefined,
    level: 'info',
    message: 'Step 1',
  },
  rollout_paused: {
    facts: [request, start(), begin('deploy'), step(0), pause],
    event: undefined,
    level: 'warn',
    message: 'Rollout paused: let us look first',
    metadata: { actor: 'operator', agent: 'claude', reason: 'let us look first' },
  },
  rollout_resumed: {
    facts: [request, start(), begin('deploy'), step(0), pause, resume],
    event: undefined,
    level: 'info',
    message: 'Rollout resumed',
    metadata: { actor: 'operator', agent: 'claude' },
  },
  rollout_promoted: {
    facts: [request, start(), begin('deploy'), step(0), wait, promote()],
    event: undefined,
    level: 'info',
    message: 'Rollout promoted to its next step',
    metadata: { actor: 'operator', agent: 'claude' },
  },
  rollout_aborted: {
    facts: [request, start(), begin('deploy'), step(0), abort],
    event: undefined,
    level: 'warn',
    message: 'Rollout aborted: too many errors',
    metadata: { actor: 'operator', agent: 'claude', reason: 'too many errors' },
  },
  rollback_ordered: {
    facts: [...failed, orderRollback],
    event: undefined,
    level: 'warn',
    message: 'Rollback to release 6 (0.9.0) ordered: dep-01jd0000000000000000000002',
    metadata: {
      reason: failure('unhealthy').message,
      details: { rolled_back_by: 'dep-01jd0000000000000000000002' },
    },
  },
  deployment_rolled_back: {
    facts: [...failed, orderRollback, rollBack],
    event: 'deploy_error',
    level: 'warn',
    message: 'Rolled back by dep-01jd0000000000000000000002',
    metadata: {
      reason: failure('unhealthy').message,
      details: { rolled_back_by: 'dep-01jd0000000000000000000002' },
    },
  },
  rollback_failed: {
    facts: [...failed, orderRollback, failRollback],
    event: 'deploy_error',
    level: 'error',
    message: `THE ROLLBACK dep-01jd0000000000000000000002 FAILED TOO: ${failure('image_not_found').message} It is not tried again.`,
    metadata: {
      error_code: 'rollback_failed',
      error_message: failure('rollback_failed').message,
      hint: failure('rollback_failed').hint!,
      details: { rolled_back_by: 'dep-01jd0000000000000000000002', cause: failure('image_not_found') },
    },
  },
};

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
