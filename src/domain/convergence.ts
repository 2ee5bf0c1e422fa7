/** Whether a service has become what was asked for: the verdict over what Swarm says of it and its tasks. Pure. */
import { DeployError } from './errors.js';
import type { ContainerEvidence, ServiceView, TaskView } from './ports.js';
import { taskFault, unplacedFault, type Fault } from './task-fault.js';

export interface ConvergenceInput {
  readonly service: ServiceView | undefined;
  /** Of this deployment only, ended ones included. */
  readonly tasks: readonly TaskView[];
  readonly deployment_id: string;
  readonly replicas: number;
  /** Milliseconds since the service was applied. */
  readonly since_ms: number;
}

export type Verdict =
  /** Every replica runs and Swarm is done. A program may still crash a moment later: keep judging for a while. */
  | { readonly kind: 'converged' }
  | { readonly kind: 'waiting'; readonly reason: string }
  | ({ readonly kind: 'failed' } & Fault);

/** Nodes may just be joining. */
const PLACEMENT_GRACE_MS = 5_000;
/** The old task holds its port until it has left DNS (2 s) and been stopped (10 s at most). */
const PORT_GRACE_MS = 20_000;

/** Looks at one moment; the caller asks again until it is `converged` or `failed`, and owns the deadline: Swarm has none. */
export function judge(input: ConvergenceInput): Verdict {
  const fault = ownershipFault(input) ?? startFault(input) ?? pausedFault(input) ?? placementFault(input);
  if (fault) return { kind: 'failed', ...fault };

  const running = runningTasks(input).length;
  const state = input.service?.update?.state;
  if (running >= input.replicas && (state === undefined || state === 'completed')) return { kind: 'converged' };
  return { kind: 'waiting', reason: waitingReason(input, running) };
}

/** The error of a failed verdict, with what the container left behind: only it knows of memory and health checks. */
export function toDeployError({ code, message, task }: Fault, evidence: ContainerEvidence): DeployError {
  const lines = { evidence: evidence.last_lines };
  if (evidence.out_of_memory) return new DeployError('out_of_memory', undefined, lines);
  // A container that Swarm stops for its health may end as it likes, even with code 0.
  const stopped = [0, 137, 143].includes(task?.exit_code ?? -1);
  if (evidence.health_output !== undefined && (code === 'unhealthy' || (code === 'container_crashed' && stopped))) {
    const said = evidence.health_output || 'it printed nothing';
    return new DeployError('unhealthy', `The health check of the container keeps failing: ${said}`, lines);
  }
  const command = code === 'command_not_found' && missingCommand(evidence.last_lines);
  if (command) return new DeployError(code, `The start command ${command} does not exist in the image.`, lines);
  return new DeployError(code, message, lines);
}

/** Which command Docker's init process did not find: the task itself only has the code 127. */
function missingCommand(lines: readonly string[]): string | undefined {
  return lines.map((line) => /tini.* exec (.+) failed: No such file/.exec(line)?.[1]).find((command) => command);
}

/** Somebody else changed the service, or Swarm itself took the update back. */
function ownershipFault(input: ConvergenceInput): Fault | undefined {
  const { service, deployment_id } = input;
  if (service === undefined) return { code: 'service_changed', message: 'The service is gone: somebody removed it.' };
  const { update } = service;
  // Swarm puts the old spec back before anything else, so healthy replicas prove nothing now.
  if (update?.state.startsWith('rollback_')) {
    return (
      startFault(input) ?? { code: 'update_rolled_back', message: `Swarm took the update back: ${update.message}.` }
    );
  }
  if (service.deployment_id === deployment_id) return undefined;
  return service.deployment_id === undefined
    ? { code: 'service_changed', message: `The service ${service.name} lost its labels: somebody changed it.` }
    : {
        code: 'newer_deployment_live',
        message: `Another deployment, ${service.deployment_id}, has changed the service.`,
      };
}

/** Any end of a task is a failure, whatever Swarm wants of it by now: it replaces ended tasks and goes on. */
function startFault({ tasks }: ConvergenceInput): Fault | undefined {
  const faults = tasks.map(taskFault).filter((fault) => fault !== undefined);
  // A program that "ended by itself" may have been stopped for the fault of another: that one comes first.
  return faults.find(({ task }) => task?.state !== 'complete') ?? faults[0];
}

function pausedFault({ service }: ConvergenceInput): Fault | undefined {
  return service?.update?.state === 'paused'
    ? { code: 'update_paused', message: `Swarm stopped the update half-way: ${service.update.message}.` }
    : undefined;
}

/** Swarm itself would wait for ever. */
function placementFault({ tasks, since_ms }: ConvergenceInput): Fault | undefined {
  for (const task of tasks) {
    const fault = unplacedFault(task);
    const grace = fault?.code === 'port_in_use' ? PORT_GRACE_MS : PLACEMENT_GRACE_MS;
    if (fault && (task.age_ms ?? since_ms) > grace) return fault;
  }
  return undefined;
}

function runningTasks({ tasks }: ConvergenceInput): TaskView[] {
  return tasks.filter(({ state, desired_state }) => state === 'running' && desired_state === 'running');
}

function waitingReason({ tasks, replicas, service }: ConvergenceInput, running: number): string {
  if (running >= replicas) return `${replicas} of ${replicas} replicas run, Swarm watches them`;
  const behind = tasks.find(({ state, desired_state }) => state !== 'running' && desired_state !== 'shutdown');
  const count = `${running} of ${replicas} replicas run`;
  return behind ? `${count}, ${service?.name ?? ''}.${behind.slot} ${activity(behind)}` : count;
}

function activity(task: TaskView): string {
  switch (task.state) {
    case 'pending':
      return `waits for a node${task.error && `: ${task.error}`}`;
    case 'preparing':
      return `fetches its image on ${task.node}`;
    case 'starting':
      return `starts on ${task.node}`;
    default:
      return `is ${task.state}`;
  }
}
