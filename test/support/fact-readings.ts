/** How each fact reads in the log: its event, its level, its words. */
import {
  abort,
  at,
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
  wait,
} from './deployment-fixtures.js';
import type { Fact, FactType } from '../../src/domain/deployment.js';
import type { EventMetadata, LogLevel } from '../../src/domain/log-entry.js';

const later = '2026-02-03T10:00:02.500Z';

interface Reading {
  readonly facts: [Fact, ...Fact[]];
  readonly event: string | undefined;
  readonly level: LogLevel;
  readonly message: string | RegExp;
  readonly metadata?: EventMetadata;
}

const failed: [Fact, ...Fact[]] = [request, start(), { type: 'deployment_failed', at, error: failure('unhealthy') }];

export const READINGS: Readonly<Record<FactType, Reading>> = {
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
  hook_ended: {
    facts: [
      request,
      start(),
      begin('pre_build'),
      {
        type: 'hook_ended',
        at,
        result: {
          plugin: 'size-check',
          hook: 'pre_build',
          attempt: 1,
          outcome: 'warned',
          duration_ms: 12,
          code: 'too_large',
          message: 'assets.zip is too large.',
        },
      },
    ],
    event: undefined,
    level: 'warn',
    message: 'size-check: assets.zip is too large. The deployment goes on.',
    metadata: { duration_ms: 12, details: { outcome: 'warned', code: 'too_large' } },
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
      hint: 'Raise resources.memory_limit_mb.',
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
