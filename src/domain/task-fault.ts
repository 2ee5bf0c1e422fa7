/** Why a task ended or cannot begin, in words for users. Pure; the wording that is matched is Docker's. */
import type { ErrorCode } from './errors.js';
import type { TaskView } from './ports.js';

export interface Fault {
  readonly code: ErrorCode;
  /** A plain sentence for users. */
  readonly message: string;
  /** Whose container knows more. */
  readonly task?: TaskView;
}

interface Reading {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** @param found what the pattern's group holds */
  readonly message: (found: string, task: TaskView) => string;
}

/** What Docker writes into a task's error, most telling first. */
const READINGS: readonly Reading[] = [
  {
    pattern: /no such image:? ?(\S*)/i,
    code: 'image_not_found',
    message: (image) => `The image ${image} could not be found on the node or in its registry.`,
  },
  {
    pattern: /unhealthy container/,
    code: 'unhealthy',
    message: () => 'The health check of the container keeps failing.',
  },
  {
    pattern: /bind source path does not exist: (.+)/,
    code: 'task_rejected',
    message: (path, { node }) => `The folder ${path} does not exist on node ${node}.`,
  },
  {
    pattern: /:(\d+)(?: failed)?: (?:bind: address already in use|port is already allocated)/,
    code: 'port_in_use',
    message: (port, { node }) => `Port ${port} is in use on node ${node} already.`,
  },
  {
    pattern: /exec format error/,
    code: 'architecture_mismatch',
    message: (_, { node }) => `The program does not run on the processor of node ${node}.`,
  },
  {
    pattern: /exec: "([^"]*)": permission denied/,
    code: 'command_not_found',
    message: (command) => `The start command ${command} may not be executed.`,
  },
  {
    pattern: /exec: "([^"]*)"/,
    code: 'command_not_found',
    message: (command) => `The start command ${command} does not exist in the image.`,
  },
];

/** Why the task is over; `undefined` while it lives, and when it was stopped because somebody wanted it so. */
export function taskFault(task: TaskView): Fault | undefined {
  switch (task.state) {
    case 'rejected':
      return { ...(readError(task) ?? refused(task)), task };
    case 'failed':
      return { ...(readError(task) ?? ended(task)), task };
    case 'complete':
      return { ...ended(task), task };
    // A lost node's task is not the app's fault; Swarm runs another one elsewhere.
    case 'orphaned':
    default:
      return undefined;
  }
}

/** Why the program of a task that Swarm still takes for running is over. */
export function exitFault(task: TaskView, exitCode: number): Fault {
  const over = { ...task, exit_code: exitCode };
  return { ...ended(over), task: over };
}

/** Why no node takes the task, where it waits for one: its error holds the reason in brackets. */
export function unplacedFault(task: TaskView): Fault | undefined {
  if (task.state !== 'pending' || !task.error.startsWith('no suitable node')) return undefined;
  const reason = /\((.*)\)/.exec(task.error)?.[1] ?? task.error;
  return reason.includes('host-mode port')
    ? { code: 'port_in_use', message: `No node has the published port free: ${reason}.`, task }
    : { code: 'no_suitable_node', message: `No node fits the service: ${reason}.`, task };
}

function readError(task: TaskView): Fault | undefined {
  for (const { pattern, code, message } of READINGS) {
    const match = pattern.exec(task.error);
    if (match) return { code, message: message(match[1] ?? '', task) };
  }
  return undefined;
}

function refused({ node, error, message }: TaskView): Fault {
  return { code: 'task_rejected', message: `Node ${node} refused to start the container: ${error || message}` };
}

function ended(task: TaskView): Fault {
  switch (task.exit_code) {
    case undefined:
      return refused(task);
    case 0:
      return {
        code: 'container_crashed',
        message: 'The program ended by itself, with code 0: it should keep running.',
      };
    case 126:
      return { code: 'command_not_found', message: 'The start command may not be executed (code 126).' };
    case 127:
      return { code: 'command_not_found', message: 'The start command does not exist in the image (code 127).' };
    case 137:
      return { code: 'container_crashed', message: 'The program was killed (code 137).' };
    default:
      return { code: 'container_crashed', message: `The program ended with code ${task.exit_code}.` };
  }
}
