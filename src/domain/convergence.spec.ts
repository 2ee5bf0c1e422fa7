import { describe, expect, it } from '@jest/globals';
import { isDismissed, judge, toDeployError, type ConvergenceInput, type Verdict } from './convergence.js';
import type { ErrorCode } from './errors.js';
import type { ContainerEvidence, ServiceView, TaskView } from './ports.js';

const NEW = 'dep-2';

const service = (fields: Partial<ServiceView> = {}): ServiceView => ({
  id: 'service',
  name: 'web',
  managed: true,
  app_name: 'web',
  deployment_id: NEW,
  release: 2,
  image: 'sha256:1',
  replicas: 1,
  ...fields,
});

const task = (fields: Partial<TaskView> = {}): TaskView => ({
  id: 'task',
  slot: 1,
  node: 'node-1',
  deployment_id: NEW,
  state: 'running',
  desired_state: 'running',
  error: '',
  message: '',
  ...fields,
});

const look = (fields: Partial<ConvergenceInput> = {}): Verdict =>
  judge({ service: service(), tasks: [task()], replicas: 1, since_ms: 1_000, ...fields });

describe('a service converges', () => {
  it.each<[string, Partial<ConvergenceInput>]>([
    ['when it was created and every replica runs', { replicas: 2, tasks: [task(), task({ slot: 2 })] }],
    [
      'when what ended in it ended before it became the new version',
      {
        adopted: true,
        since_ms: 5_000,
        tasks: [task(), task({ state: 'failed', exit_code: 1, age_ms: 60_000, desired_state: 'shutdown' })],
      },
    ],
    [
      'when the task of a lost node was replaced',
      { tasks: [task(), task({ state: 'orphaned', desired_state: 'shutdown' })] },
    ],
    [
      'when a replica too many has been told to stop',
      { tasks: [task(), task({ slot: 2, state: 'running', desired_state: 'shutdown' })] },
    ],
    [
      'when a replica that was taken away ended as it liked',
      { tasks: [task(), task({ slot: 2, state: 'failed', exit_code: 143, desired_state: 'remove' })] },
    ],
    ['when no replicas are asked for', { replicas: 0, tasks: [] }],
  ])('%s', (_, fields) => {
    expect(look(fields)).toEqual({ kind: 'converged' });
  });
});

describe('a service is waited for', () => {
  const none = { tasks: [] };
  it.each<[string, Partial<ConvergenceInput>, string]>([
    ['before it has tasks', none, '0 of 1 replicas run'],
    [
      'while a replica fetches its image',
      { replicas: 3, tasks: [task(), task({ slot: 2, state: 'preparing' })] },
      '1 of 3 replicas run, web.2 fetches its image on node-1',
    ],
    [
      'while a replica is not healthy yet',
      { tasks: [task({ state: 'starting' })] },
      '0 of 1 replicas run, web.1 starts on node-1',
    ],
    [
      'while it is new to the cluster that no node fits',
      {
        tasks: [
          task({ state: 'pending', error: 'no suitable node (insufficient resources on 1 node)', age_ms: 4_000 }),
        ],
      },
      '0 of 1 replicas run, web.1 waits for a node: no suitable node (insufficient resources on 1 node)',
    ],
    [
      'while the old task still holds the port, however long ago the update began',
      {
        since_ms: 60_000,
        tasks: [
          task({
            state: 'pending',
            error: 'no suitable node (host-mode port already in use on 1 node)',
            age_ms: 12_000,
          }),
        ],
      },
      '0 of 1 replicas run, web.1 waits for a node: no suitable node (host-mode port already in use on 1 node)',
    ],
    [
      'while there are too many replicas',
      { tasks: [task(), task({ slot: 2 }), task({ slot: 3 })] },
      '2 of 3 replicas are being stopped',
    ],
    [
      'while the task of a lost node has not been replaced',
      { tasks: [task({ state: 'orphaned', desired_state: 'shutdown' }), task({ state: 'preparing' })] },
      '0 of 1 replicas run, web.1 fetches its image on node-1',
    ],
    [
      'while its task is only meant to be ready',
      { tasks: [task({ state: 'ready', desired_state: 'ready' })] },
      '0 of 1 replicas run, web.1 is ready',
    ],
    [
      'when a task was told to stop and a new one takes its slot',
      { tasks: [task({ state: 'shutdown', desired_state: 'shutdown' }), task({ state: 'assigned' })] },
      '0 of 1 replicas run, web.1 is assigned',
    ],
  ])('%s', (_, fields, reason) => {
    expect(look(fields)).toEqual({ kind: 'waiting', reason });
  });
});

describe('a service fails', () => {
  it.each<[string, Partial<ConvergenceInput>, ErrorCode, string]>([
    [
      'crash of one replica, while the other runs',
      {
        replicas: 2,
        tasks: [task(), task({ slot: 2, state: 'failed', exit_code: 1, error: 'task: non-zero exit (1)' })],
      },
      'container_crashed',
      'The program ended with code 1.',
    ],
    [
      'no node fits for too long',
      {
        tasks: [
          task({ state: 'pending', error: 'no suitable node (insufficient resources on 1 node)', age_ms: 6_000 }),
        ],
      },
      'no_suitable_node',
      'No node fits the service: insufficient resources on 1 node.',
    ],
    [
      'no node fits, where the age of the task is unknown',
      {
        since_ms: 6_000,
        tasks: [task({ state: 'pending', error: 'no suitable node (insufficient resources on 1 node)' })],
      },
      'no_suitable_node',
      'No node fits the service: insufficient resources on 1 node.',
    ],
    [
      'the port stays taken',
      {
        tasks: [
          task({
            state: 'pending',
            error: 'no suitable node (host-mode port already in use on 1 node)',
            age_ms: 21_000,
          }),
        ],
      },
      'port_in_use',
      'No node has the published port free: host-mode port already in use on 1 node.',
    ],
    [
      'the task that was the reason counts, not the one that Swarm stopped for it',
      {
        tasks: [
          task({ slot: 2, state: 'complete', exit_code: 0 }),
          task({ state: 'failed', error: 'task: non-zero exit (3)', exit_code: 3 }),
        ],
      },
      'container_crashed',
      'The program ended with code 3.',
    ],
    [
      'crash of a service that ran before, since it became the new version',
      { adopted: true, since_ms: 5_000, tasks: [task(), task({ state: 'failed', exit_code: 1, age_ms: 4_000 })] },
      'container_crashed',
      'The program ended with code 1.',
    ],
    [
      'crash of a service that is new, however long ago',
      { since_ms: 5_000, tasks: [task(), task({ state: 'failed', exit_code: 1, age_ms: 60_000 })] },
      'container_crashed',
      'The program ended with code 1.',
    ],
    ['removed', { service: undefined }, 'service_changed', 'The service is gone: somebody removed it.'],
  ])('%s', (_, fields, code, message) => {
    expect(look(fields)).toMatchObject({ kind: 'failed', code, message });
  });
});

describe('what the container left behind', () => {
  const evidence = (fields: Partial<ContainerEvidence> = {}): ContainerEvidence => ({
    out_of_memory: false,
    last_lines: ['last words'],
    ...fields,
  });
  const crashed = (exit_code: number) => ({
    code: 'container_crashed' as const,
    message: 'It ended.',
    task: task({ state: 'failed', exit_code }),
  });

  it('goes with the error', () => {
    expect(toDeployError(crashed(3), evidence())).toMatchObject({
      code: 'container_crashed',
      message: 'It ended.',
      evidence: ['last words'],
    });
  });

  it('tells that the memory was used up', () => {
    expect(toDeployError(crashed(137), evidence({ out_of_memory: true })).code).toBe('out_of_memory');
  });

  it.each([0, 137, 143])('tells that a program that ended with code %i was stopped for its health', (exit_code) => {
    expect(toDeployError(crashed(exit_code), evidence({ health_output: '503' }))).toMatchObject({
      code: 'unhealthy',
      message: 'The health check of the container keeps failing: 503',
    });
  });

  it('leaves a crash a crash, though the health check failed as well', () => {
    expect(toDeployError(crashed(3), evidence({ health_output: '503' })).code).toBe('container_crashed');
  });

  it('names the command that the init process did not find', () => {
    const fault = { code: 'command_not_found', message: 'Some command.' } as const;
    const last_lines = ['[FATAL tini (7)] exec /nope failed: No such file or directory'];
    expect(toDeployError(fault, evidence({ last_lines })).message).toBe(
      'The start command /nope does not exist in the image.',
    );
  });
});

describe('a task is dismissed', () => {
  it.each<[string, boolean, Partial<TaskView>]>([
    ['when it runs and shall not, as on a lost node', true, { state: 'running', desired_state: 'shutdown' }],
    ['when it has not begun and shall not', true, { state: 'assigned', desired_state: 'shutdown' }],
    ['but not when it has failed', false, { state: 'failed', desired_state: 'shutdown' }],
    ['nor when it has ended by itself', false, { state: 'complete', desired_state: 'shutdown' }],
    ['nor while it shall run', false, { state: 'running', desired_state: 'running' }],
  ])('%s', (_, dismissed, fields) => {
    expect(isDismissed(task(fields))).toBe(dismissed);
  });
});
