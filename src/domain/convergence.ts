/** Whether a service has become what was asked for: the verdict over what Swarm says of it and its tasks. Pure. */
import { DeployError } from './errors.js';
import type { ContainerEvidence, ServiceView, TaskView } from './ports.js';
import { taskFault, unplacedFault, type Fault } from './task-fault.js';

export interface ConvergenceInput {
  readonly service: ServiceView | undefined;
  /** Ended ones included. */
  readonly tasks: readonly TaskView[];
  readonly replicas: number;
  /** Milliseconds since the service was made or changed. */
  readonly since_ms: number;
  /** Whether the service ran before: then what ended earlier says nothing about now. */
  readonly adopted?: boolean;
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

const ENDED = ['complete', 'failed', 'rejected', 'shutdown', 'orphaned', 'remove'];

/** Looks at one moment; the caller asks again until it is `converged` or `failed`, and owns the deadline: Swarm has none. */
export function judge(input: ConvergenceInput): Verdict {
  const fault = absence(input) ?? startFault(input) ?? placementFault(input);
  if (fault) return { kind: 'failed', ...fault };
  const running = input.tasks.filter(isServing).length;
  return running === input.replicas
    ? { kind: 'converged' }
    : { kind: 'waiting', reason: waitingReason(input, running) };
}

/** Whether the task runs, and shall. */
export function isServing({ state, desired_state }: TaskView): boolean {
  return state === 'running' && desired_state === 'running';
}

/** Whether Swarm wants the task to end, which has not done so. */
export function isDismissed({ state, desired_state }: TaskView): boolean {
  return desired_state === 'shutdown' && !ENDED.includes(state);
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
export function missingCommand(lines: readonly string[]): string | undefined {
  return lines.map((line) => /tini.* exec (.+) failed: No such file/.exec(line)?.[1]).find((command) => command);
}

function absence({ service }: ConvergenceInput): Fault | undefined {
  return service ? undefined : { code: 'service_changed', message: 'The service is gone: somebody removed it.' };
}

/** Any end of a task is a failure, whatever Swarm wants of it by now: it replaces ended tasks and goes on. */
function startFault({ tasks, adopted, since_ms }: ConvergenceInput): Fault | undefined {
  const faults = tasks
    .filter(({ desired_state, age_ms }) => desired_state !== 'remove' && !(adopted && (age_ms ?? 0) > since_ms))
    .map(taskFault)
    .filter((fault) => fault !== undefined);
  // A program that "ended by itself" may have been stopped for the fault of another: that one comes first.
  return faults.find(({ task }) => task?.state !== 'complete') ?? faults[0];
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

function waitingReason({ tasks, replicas, service }: ConvergenceInput, running: number): string {
  if (running > replicas) return `${running - replicas} of ${running} replicas are being stopped`;
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
