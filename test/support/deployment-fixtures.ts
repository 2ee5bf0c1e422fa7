/** Facts of an ordinary deployment, to fold states from. */
import type { Actor, Base, DeploymentIdentity, Fact } from '../../src/domain/deployment.js';
import { DeployError, type ErrorCode, type Failure } from '../../src/domain/errors.js';
import type { Hook } from '../../src/domain/hooks.js';
import type { Phase } from '../../src/domain/phases.js';
import type { Traffic } from '../../src/domain/traffic.js';

export const at = '2026-02-03T10:00:00.000Z';
export const actor: Actor = { kind: 'token', name: 'operator', agent: 'claude' };

export const identity: DeploymentIdentity = {
  id: 'dep-01jd0000000000000000000000',
  app_name: 'api-server',
  environment: 'production',
  project: 'default',
  version: '1.0.0',
  release: 7,
  actor,
  source: 'api-server:1.0.0',
  timeout_ms: 900_000,
};

export const request: Fact = { type: 'deployment_requested', at, deployment: identity };

export function start(skips: Partial<Record<Phase, string>> = {}): Fact {
  return { type: 'deployment_started', at, deadline_at: '2026-02-03T10:15:00.000Z', replicas: 2, skips };
}

export function begin(phase: Phase, attempt = 1): Fact {
  return { type: 'phase_started', at, phase, attempt };
}

export function succeed(phase: Phase, attempt = 1): Fact {
  return { type: 'phase_succeeded', at, phase, attempt, outputs: { image: 'api-server@sha256:1' } };
}

export function fail(phase: Phase, attempt: number, code: ErrorCode): Fact {
  return { type: 'phase_failed', at, phase, attempt, error: failure(code) };
}

export function hook(phase: Hook, attempt = 1): Fact {
  const result = { plugin: 'size-check', hook: phase, attempt, outcome: 'passed', duration_ms: 12 } as const;
  return { type: 'hook_ended', at, result };
}

export function release(phase: Phase, attempt = 1): Fact {
  return { type: 'phase_released', at, phase, attempt, reason: 'this worker shuts down' };
}

export const cancel: Fact = { type: 'cancel_requested', at, actor, reason: 'wrong version' };
export const supersede: Fact = { ...cancel, superseded_by: 'dep-01jd0000000000000000000001' };

export const orderRollback: Fact = {
  type: 'rollback_ordered',
  at,
  by: 'dep-01jd0000000000000000000002',
  release: 6,
  version: '0.9.0',
};
export const failRollback: Fact = {
  type: 'rollback_failed',
  at,
  by: 'dep-01jd0000000000000000000002',
  error: failure('image_not_found'),
};
export const rollBack: Fact = { type: 'deployment_rolled_back', at, by: 'dep-01jd0000000000000000000002' };

const system: Actor = { kind: 'system', name: 'flukedeploy' };

/** Release 6 is live, with two replicas that answer at the app's host name. */
export const base: Base = {
  release: 6,
  version: '0.9.0',
  image: 'api-server@sha256:0',
  replicas: 2,
  traffic: trafficTo('api-server_r6', 6, 'dep-01jd0000000000000000000006'),
  retiring: [],
};

/** All requests go to this service. */
export function trafficTo(service: string, number: number, deployment_id = identity.id): Traffic {
  return {
    app_name: identity.app_name,
    environment: identity.environment,
    project: identity.project,
    hosts: ['api.example.com'],
    force_https: false,
    stable: [{ service, deployment_id, release: number, port: 80 }],
  };
}

export function shift(serving: boolean, phase: Phase = 'deploy', attempt = 1): Fact {
  const summary = serving ? 'All requests go to api-server_r7' : 'api-server_r7 shows itself at preview.example.com';
  const traffic = serving ? trafficTo('api-server_r7', 7) : base.traffic!;
  return { type: 'traffic_shifted', at, traffic, retiring: [], serving, summary, phase, attempt };
}

export function step(number: number, phase: Phase = 'deploy', attempt = 1): Fact {
  const summary = `Step ${number}`;
  return { type: 'rollout_step', at, step: number, service: 'api-server_r7', summary, phase, attempt };
}

/** By a person, who wants it to stay where it is. */
export const pause: Fact = { type: 'rollout_paused', at, actor, reason: 'let us look first' };
/** By the strategy, whose step waits. */
export const wait: Fact = { type: 'rollout_paused', at, actor: system, reason: 'the switch waits for promote' };
export const resume: Fact = { type: 'rollout_resumed', at, actor };
export const abort: Fact = { type: 'rollout_aborted', at, actor, reason: 'too many errors' };

export function promote(full = false): Fact {
  return { type: 'rollout_promoted', at, actor, full };
}

export function failure(code: ErrorCode): Failure {
  return new DeployError(code).toFailure();
}
