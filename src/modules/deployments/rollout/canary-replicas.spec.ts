/** A canary's replicas that come and go: the edge is told, but not at every look. */
import { describe, expect, it } from '@jest/globals';
import { trafficTo } from '../../../../test/support/deployment-fixtures.js';
import type { TaskView } from '../../../domain/ports.js';
import type { Traffic } from '../../../domain/traffic.js';
import { CanaryReplicas } from './canary-replicas.js';

const LONG_MS = 60_000;

const task = (address: string): TaskView => ({
  id: `task-${address}`,
  deployment_id: 'dep-2',
  slot: 1,
  node: 'node-1',
  state: 'running',
  desired_state: 'running',
  message: '',
  error: '',
  address,
});
const to = (...addresses: string[]): Traffic => ({
  ...trafficTo('web_r1', 1),
  canary: {
    backend: { service: 'web_r2', deployment_id: 'dep-2', release: 2, port: 80, addresses },
    weight: 10,
    stickiness: 'none',
    match: [],
  },
});
const seen = (...addresses: string[]) => ({ running: addresses.map(task), ready: addresses.map(task) });

describe('the replicas of a canary', () => {
  it('are followed to where Swarm runs them', () => {
    const replicas = new CanaryReplicas(3);
    expect(replicas.follow(to('10.0.0.1'), seen('10.0.0.1'), 0)).toBeUndefined();
    expect(replicas.follow(to('10.0.0.1'), seen('10.0.0.2'), 1)?.traffic).toEqual(to('10.0.0.2'));
  });

  it('leave their requests to the version before, and take them again', () => {
    const replicas = new CanaryReplicas(3);
    expect(replicas.follow(to('10.0.0.1'), seen(), 0)).toEqual({
      traffic: to(),
      summary: 'No replica of web_r2 is left: its requests go to the version before',
    });
    expect(replicas.follow(to(), seen(), LONG_MS)).toBeUndefined();
    expect(replicas.follow(to(), seen('10.0.0.2'), LONG_MS)?.traffic).toEqual(to('10.0.0.2'));
  });

  it('that answer by turns change nothing at every look', () => {
    const replicas = new CanaryReplicas(3);
    let traffic = to('10.0.0.1');
    let changes = 0;
    for (let now = 0; now < LONG_MS; now += 200) {
      const moved = replicas.follow(traffic, (now / 200) % 2 === 0 ? seen() : seen('10.0.0.1'), now);
      if (moved === undefined) continue;
      changes++;
      traffic = moved.traffic;
    }
    expect(changes).toBeGreaterThan(1);
    expect(changes).toBeLessThanOrEqual(LONG_MS / 5_000);
  });

  it('are nothing to follow where all requests go to one version', () => {
    const replicas = new CanaryReplicas(3);
    expect(replicas.follow(undefined, seen('10.0.0.1'), 0)).toBeUndefined();
    expect(replicas.follow(trafficTo('web_r1', 1), seen('10.0.0.1'), 0)).toBeUndefined();
  });
});
