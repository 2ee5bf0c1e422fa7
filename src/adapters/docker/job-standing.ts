/** How a job stands: the verdict over what Swarm says of its service and its one task. Pure. */
import type { ServiceView, TaskView } from '../../domain/ports.js';
import { taskFault, unplacedFault, type Fault } from '../../domain/task-fault.js';

export type Standing =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly task: TaskView }
  /** Its container has ended, or could not be started. */
  | { readonly kind: 'ended'; readonly task: TaskView }
  /** No container was made, and none will be. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** No container was made, but Swarm would still make one. */
  | { readonly kind: 'unplaced'; readonly fault: Fault }
  | { readonly kind: 'lost'; readonly message: string };

/** Nodes may just be joining, and what an ended task reserved comes free a moment later. */
const PLACEMENT_GRACE_MS = 5_000;

export function standing(service: ServiceView | undefined, tasks: readonly TaskView[]): Standing {
  if (service === undefined) return lost('It was removed before its end was seen.');
  if (service.replicas === 0) return lost('It was stopped before its end was seen.');
  const [task] = tasks;
  return task === undefined ? { kind: 'waiting' } : taskStanding(task);
}

function taskStanding(task: TaskView): Standing {
  switch (task.state) {
    case 'complete':
    case 'failed':
      return { kind: 'ended', task };
    case 'rejected': {
      const fault = taskFault(task);
      return fault ? { kind: 'refused', fault } : lost('A node refused it.');
    }
    case 'shutdown':
    case 'orphaned':
    case 'remove':
      return lost(`Its container was lost (${task.state}).`);
    default:
      return aliveStanding(task);
  }
}

function aliveStanding(task: TaskView): Standing {
  // Swarm gives up what runs on a node that is away, and takes it from one that is drained.
  if (task.desired_state !== 'running') return lost(`Swarm has given it up on node ${task.node}.`);
  if (task.state === 'running') return { kind: 'running', task };
  const fault = unplacedFault(task);
  return fault && (task.age_ms ?? 0) > PLACEMENT_GRACE_MS ? { kind: 'unplaced', fault } : { kind: 'waiting' };
}

function lost(message: string): Standing {
  return { kind: 'lost', message };
}
