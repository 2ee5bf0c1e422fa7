import { describe, expect, it } from '@jest/globals';
import * as facts from '../../../test/support/deployment-fixtures.js';
import { evolve, fold, settle, type Fact } from '../../domain/deployment.js';
import { PHASES } from '../../domain/phases.js';
import { deploymentEvent } from './deployment-event.js';

const END = '2026-02-03T10:01:05.000Z';

/** The state after these facts, and after what follows from them. */
function after(...more: Fact[]) {
  const state = fold([facts.request, facts.start(), ...more]);
  return fold([facts.request, facts.start(), ...more, ...settle(state, END)]);
}

const COMMON = {
  deployment_id: facts.identity.id,
  app_name: 'api-server',
  environment: 'production',
  project: 'default',
  version: '1.0.0',
  release: 7,
  kind: 'deploy',
  duration_ms: 65_000,
  actor: 'operator',
  agent: 'claude',
  source: 'api-server:1.0.0',
};

describe('the event of a deployment', () => {
  it('does not exist before its end', () => {
    expect(deploymentEvent(fold([facts.request]))).toBeUndefined();
    expect(deploymentEvent(after(facts.begin('pre_build')))).toBeUndefined();
  });

  it('tells a success', () => {
    expect(deploymentEvent(after(...PHASES.flatMap((phase) => [facts.begin(phase), facts.succeed(phase)])))).toEqual({
      type: 'deployment.succeeded',
      timestamp: END,
      data: { ...COMMON, status: 'success' },
    });
  });

  it('tells why and where it failed', () => {
    expect(deploymentEvent(after(facts.begin('pre_build'), facts.fail('pre_build', 1, 'dockerfile_invalid')))).toEqual({
      type: 'deployment.failed',
      timestamp: END,
      data: {
        ...COMMON,
        status: 'failed',
        error: { code: 'dockerfile_invalid', message: 'The Dockerfile is not valid.' },
        failed_phase: 'pre_build',
      },
    });
  });

  it('tells a cancellation', () => {
    expect(deploymentEvent(after(facts.cancel))).toEqual({
      type: 'deployment.cancelled',
      timestamp: END,
      data: { ...COMMON, status: 'cancelled', error: { code: 'cancelled', message: 'Cancelled: wrong version' } },
    });
  });

  it('stays the same when the deployment is rolled back later', () => {
    const failed = after(facts.begin('pre_build'), facts.fail('pre_build', 1, 'dockerfile_invalid'));
    const ordered = evolve(failed, facts.orderRollback);
    const event = deploymentEvent(ordered);
    expect(event?.data).toEqual({
      ...deploymentEvent(failed)?.data,
      rollback: { by: 'dep-01jd0000000000000000000002', release: 6 },
    });
    expect(deploymentEvent(evolve(ordered, facts.rollBack))).toEqual(event);
    expect(deploymentEvent(evolve(ordered, facts.failRollback))).toEqual(event);
  });

  it('says of a rollback what it takes back', () => {
    const identity = {
      ...facts.identity,
      kind: 'rollback',
      rollback_of: 'dep-1',
      rollback_to: 6,
      reason: 'it failed',
    } as const;
    const state = { ...after(facts.cancel), identity };
    expect(deploymentEvent(state)?.data).toMatchObject({
      kind: 'rollback',
      rollback_of: 'dep-1',
      rollback_to: 6,
      reason: 'it failed',
    });
  });
});
