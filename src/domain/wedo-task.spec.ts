import { describe, expect, it } from '@jest/globals';
import {
  actor,
  at,
  begin,
  fail,
  failure,
  identity,
  request,
  start,
  succeed,
} from '../../test/support/deployment-fixtures.js';
import { deploymentLinks, deploymentSummary, isNews } from './deployment-summary.js';
import { fold, type Fact } from './deployment.js';
import { PHASES } from './phases.js';
import { newWedoTask, taskIdOf, taskStatus, wedoTaskChange } from './wedo-task.js';

const links = deploymentLinks(identity.id, 'https://captain.example.com');
const later = '2026-02-03T10:00:42.000Z';
const succeeded: Fact[] = PHASES.flatMap((phase) => [begin(phase), succeed(phase)]);
const failed: Fact = { type: 'deployment_failed', at: later, error: failure('unhealthy'), phase: 'deploy' };
const ordered: Fact = { type: 'rollback_ordered', at: later, by: 'dep-2', release: 6, version: '0.9' };

const states = {
  waiting: fold([request]),
  building: fold([request, start(), begin('pre_build')]),
  deploying: fold([request, start(), ...succeeded.slice(0, 6), begin('deploy')]),
  paused: fold([
    ...[request, start(), ...succeeded.slice(0, 6), begin('deploy')],
    { type: 'rollout_paused', at, actor, reason: 'look first' },
  ]),
  done: fold([request, start(), ...succeeded, { type: 'deployment_succeeded', at: later }]),
  failed: fold([request, start(), begin('pre_build'), fail('pre_build', 3, 'unhealthy'), failed]),
  rolling_back: fold([request, start(), failed, ordered]),
  rolled_back: fold([request, start(), failed, ordered, { type: 'deployment_rolled_back', at: later, by: 'dep-2' }]),
  stuck: fold([
    request,
    start(),
    failed,
    ordered,
    { type: 'rollback_failed', at: later, by: 'dep-2', error: failure('unhealthy') },
  ]),
  cancelled: fold([request, { type: 'deployment_cancelled', at: later, error: failure('cancelled') }]),
};

describe('the task of a deployment', () => {
  it.each([
    ['waiting', 'pending', 'waits for its turn'],
    ['building', 'in_progress', 'is being built'],
    ['deploying', 'in_progress', 'is being deployed'],
    ['paused', 'blocked', 'waits for somebody to promote it: look first'],
    ['done', 'completed', 'is live on production, after 42 seconds'],
    ['failed', 'failed', 'api-server 1.0.0 failed'],
    ['rolling_back', 'failed', 'It is being rolled back to release 6.'],
    ['rolled_back', 'failed', 'was rolled back to release 6'],
    ['stuck', 'failed', 'The rollback to release 6 failed too'],
    ['cancelled', 'cancelled', 'was cancelled'],
  ] as const)('that is %s is %s', (name, status, note) => {
    expect(taskStatus(states[name])).toBe(status);
    expect(wedoTaskChange(states[name], links)).toMatchObject({
      status,
      synthesis_note: expect.stringContaining(note),
    });
  });

  it('carries result, duration, version and links at its end', () => {
    expect(wedoTaskChange(states.done, links).metadata).toMatchObject({
      deployment_id: identity.id,
      result: 'success',
      version: '1.0.0',
      release: 7,
      duration_ms: 42_000,
      finished_at: later,
      agent: 'claude',
      links: { self: `https://captain.example.com/api/v1/deployments/${identity.id}` },
    });
  });

  it('carries the reason of its rollback, and what became of that', () => {
    const rollback = { deployment_id: 'dep-2', release: 6, reason: failure('unhealthy').message };
    expect(wedoTaskChange(states.rolling_back, links).metadata).toMatchObject({
      rollback: { ...rollback, state: 'in_progress' },
    });
    expect(wedoTaskChange(states.rolled_back, links).metadata).toMatchObject({
      rollback: { ...rollback, state: 'succeeded' },
    });
    expect(wedoTaskChange(states.stuck, links).metadata).toMatchObject({ rollback: { ...rollback, state: 'failed' } });
  });

  it('is created the same whatever has become of the deployment meanwhile', () => {
    const tasks = Object.values(states).map((state) => newWedoTask(state, links));
    for (const task of tasks) expect(task).toEqual(tasks[0]);
    expect(tasks[0]).toMatchObject({
      task_id: `DEPLOY-${identity.id}`,
      description: 'Deploy api-server 1.0.0 to production',
      status: 'pending',
    });
  });

  it('is the one that the order names', () => {
    const named = fold([{ ...request, deployment: { ...identity, wedo_task_id: 'WEDO-7' } } as Fact]);
    expect(taskIdOf(named)).toEqual({ id: 'WEDO-7', is_adopted: true });
    expect(taskIdOf(states.done)).toEqual({ id: `DEPLOY-${identity.id}`, is_adopted: false });
  });
});

describe('the summary of a deployment', () => {
  it('tells what is known, and no nulls', () => {
    const summary = deploymentSummary(states.failed, 'WEDO-7', links);
    expect(summary).toMatchObject({
      deployment_id: identity.id,
      kind: 'deploy',
      status: 'failed',
      failed_phase: 'deploy',
      error: { code: 'unhealthy' },
      duration_ms: 42_000,
      wedo_task_id: 'WEDO-7',
      phases: { pre_build: { status: 'failed', attempt: 1 }, post_deploy: { status: 'skipped' } },
    });
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
    expect(Object.values(summary)).not.toContain(undefined);
  });

  it('is news for the team when it ends, and when it is rolled back', () => {
    const news = Object.entries(states).filter(([, state]) => isNews(deploymentSummary(state, 't', links)));
    expect(news.map(([name]) => name)).toEqual(['done', 'failed', 'rolling_back', 'rolled_back', 'stuck', 'cancelled']);
  });
});
