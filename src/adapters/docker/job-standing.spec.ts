import { describe, expect, it } from '@jest/globals';
import type { ServiceView, TaskView } from '../../domain/ports.js';
import { standing } from './job-standing.js';

const service: ServiceView = { id: 'id', name: 'job', managed: true, image: 'shop:1', replicas: 1 };

function task(fields: Partial<TaskView>): TaskView {
  return {
    id: 'task',
    slot: 1,
    node: 'node-1',
    deployment_id: 'dep-1',
    state: 'running',
    desired_state: 'running',
    error: '',
    message: '',
    age_ms: 60_000,
    ...fields,
  };
}

const unplaced = { state: 'pending', error: 'no suitable node (insufficient resources on 1 node)' };

describe('a job', () => {
  it.each<[string, Partial<TaskView>, object]>([
    ['runs', {}, { kind: 'running' }],
    ['is being prepared', { state: 'preparing' }, { kind: 'waiting' }],
    ['has ended well', { state: 'complete', desired_state: 'shutdown', exit_code: 0 }, { kind: 'ended' }],
    ['has ended badly', { state: 'failed', desired_state: 'shutdown', exit_code: 1 }, { kind: 'ended' }],
    [
      'has no image',
      { state: 'rejected', error: 'No such image: shop:1' },
      { kind: 'refused', fault: { code: 'image_not_found' } },
    ],
    ['finds no node yet', { ...unplaced, age_ms: 100 }, { kind: 'waiting' }],
    ['finds no node', unplaced, { kind: 'unplaced', fault: { code: 'no_suitable_node' } }],
    ['ran on a node that is away', { desired_state: 'shutdown' }, { kind: 'lost' }],
    ['was to start on a node that is away', { state: 'assigned', desired_state: 'shutdown' }, { kind: 'lost' }],
    ['was stopped by Swarm', { state: 'shutdown', desired_state: 'shutdown' }, { kind: 'lost' }],
    ['was lost with its node', { state: 'orphaned' }, { kind: 'lost' }],
  ])('%s', (_, fields, expected) => {
    expect(standing(service, [task(fields)])).toMatchObject(expected);
  });

  it('waits for its task, and is lost with its service or its replica', () => {
    expect(standing(service, [])).toEqual({ kind: 'waiting' });
    expect(standing(undefined, [])).toMatchObject({ kind: 'lost' });
    expect(standing({ ...service, replicas: 0 }, [task({})])).toMatchObject({ kind: 'lost' });
  });
});
