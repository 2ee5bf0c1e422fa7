/** Facts of an ordinary deployment, to fold states from. */
import type { Actor, DeploymentIdentity, Fact } from '../../src/domain/deployment.js';
import { DeployError, type ErrorCode, type Failure } from '../../src/domain/errors.js';
import type { Phase } from '../../src/domain/phases.js';

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

export function release(phase: Phase, attempt = 1): Fact {
  return { type: 'phase_released', at, phase, attempt, reason: 'this worker shuts down' };
}

export const cancel: Fact = { type: 'cancel_requested', at, actor, reason: 'wrong version' };
export const supersede: Fact = { ...cancel, superseded_by: 'dep-01jd0000000000000000000001' };

export const rollBack: Fact = { type: 'deployment_rolled_back', at, by: 'dep-01jd0000000000000000000002' };

export function failure(code: ErrorCode): Failure {
  return new DeployError(code).toFailure();
}
