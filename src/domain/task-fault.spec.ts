import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from './errors.js';
import type { TaskView } from './ports.js';
import { exitFault, taskFault, unplacedFault } from './task-fault.js';

const task = (fields: Partial<TaskView> = {}): TaskView => ({
  id: 'task',
  slot: 1,
  node: 'node-1',
  deployment_id: 'dep-2',
  state: 'running',
  desired_state: 'shutdown',
  error: '',
  message: '',
  ...fields,
});

describe('a task is over', () => {
  it.each<[string, Partial<TaskView>, ErrorCode, string]>([
    [
      'image missing',
      { state: 'rejected', error: 'No such image: nope/missing:1' },
      'image_not_found',
      'The image nope/missing:1 could not be found on the node or in its registry.',
    ],
    [
      'crash',
      { state: 'failed', error: 'task: non-zero exit (3)', exit_code: 3 },
      'container_crashed',
      'The program ended with code 3.',
    ],
    [
      'end by itself',
      { state: 'complete', exit_code: 0 },
      'container_crashed',
      'The program ended by itself, with code 0: it should keep running.',
    ],
    [
      'unhealthy, killed',
      { state: 'failed', error: 'task: non-zero exit (137): dockerexec: unhealthy container', exit_code: 137 },
      'unhealthy',
      'The health check of the container keeps failing.',
    ],
    [
      'killed',
      { state: 'failed', error: 'task: non-zero exit (137)', exit_code: 137 },
      'container_crashed',
      'The program was killed (code 137).',
    ],
    [
      'bad command',
      {
        state: 'failed',
        exit_code: 127,
        error:
          'starting container failed: OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "/nope": stat /nope: no such file or directory: unknown',
      },
      'command_not_found',
      'The start command /nope does not exist in the image.',
    ],
    [
      'bad command under an init process',
      { state: 'failed', exit_code: 127, error: 'task: non-zero exit (127)' },
      'command_not_found',
      'The start command does not exist in the image (code 127).',
    ],
    [
      'command that may not be executed',
      {
        state: 'failed',
        exit_code: 126,
        error: 'starting container failed: exec: "/app": permission denied: unknown',
      },
      'command_not_found',
      'The start command /app may not be executed.',
    ],
    [
      'bind source missing',
      {
        state: 'rejected',
        error: 'invalid mount config for type "bind": bind source path does not exist: /srv/nope',
      },
      'task_rejected',
      'The folder /srv/nope does not exist on node node-1.',
    ],
    [
      'port held by another program',
      {
        state: 'failed',
        exit_code: 128,
        error:
          'starting container failed: driver failed programming external connectivity on endpoint web.1: Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use',
      },
      'port_in_use',
      'Port 8080 is in use on node node-1 already.',
    ],
    [
      'any other refusal of a node',
      { state: 'rejected', error: 'error creating overlay mount' },
      'task_rejected',
      'Node node-1 refused to start the container: error creating overlay mount',
    ],
  ])('%s', (_, fields, code, message) => {
    expect(taskFault(task(fields))).toMatchObject({ code, message, task: fields });
  });
});

it.each(['new', 'pending', 'preparing', 'starting', 'running', 'shutdown', 'remove', 'orphaned'])(
  'a task that is %s has no fault',
  (state) => {
    expect(taskFault(task({ state }))).toBeUndefined();
  },
);

it('tells how a program ended that Swarm takes for running', () => {
  expect(exitFault(task(), 4)).toMatchObject({
    code: 'container_crashed',
    message: 'The program ended with code 4.',
    task: { exit_code: 4 },
  });
});

describe('no node takes a task', () => {
  const pending = (error: string) => unplacedFault(task({ state: 'pending', error }));

  it.each<[string, ErrorCode, string]>([
    ['scheduling constraints not satisfied on 1 node', 'no_suitable_node', 'No node fits the service: '],
    ['insufficient resources on 2 nodes', 'no_suitable_node', 'No node fits the service: '],
    ['host-mode port already in use on 1 node', 'port_in_use', 'No node has the published port free: '],
  ])('%s', (reason, code, sentence) => {
    expect(pending(`no suitable node (${reason})`)).toMatchObject({ code, message: `${sentence}${reason}.` });
  });

  it('is not said of one that is pending for another reason', () => {
    expect(pending('')).toBeUndefined();
    expect(unplacedFault(task({ state: 'running' }))).toBeUndefined();
  });
});
