/** Why a version does not come into the traffic, in words and with what its replicas and containers said. */
import { toDeployError, type Verdict } from '../../../domain/convergence.js';
import type { DeploymentState } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import type { Cluster, TaskView } from '../../../domain/ports.js';
import { exitFault } from '../../../domain/task-fault.js';
import type { HealthGate } from './health-gate.js';

/** @throws DeployError why the version is taken back, where that has been decided */
export function throwIfTakenBack({ rollout }: DeploymentState): void {
  const { aborted } = rollout ?? {};
  if (aborted?.error) throw DeployError.of(aborted.error);
  if (aborted) throw new DeployError('aborted', `The rollout was aborted: ${aborted.reason}`);
}

/**
 * Swarm tells of the end of a container up to a second later than the probes: the container itself is asked which it is.
 * @throws DeployError where a replica was healthy and is no longer
 */
export async function throwIfFallen(gate: HealthGate, running: readonly TaskView[], cluster: Cluster): Promise<void> {
  const [fallen, ...others] = running.filter((task) => gate.hasFallen(task));
  if (fallen === undefined) return;
  const evidence = await cluster.evidence(fallen);
  const fault = evidence.exit_code === undefined ? undefined : exitFault(fallen, evidence.exit_code);
  if (fault) throw toDeployError(fault, evidence);
  const message = `replica ${fallen.slot} was healthy and is no longer.`;
  throw new DeployError('health_check_failed', message, { evidence: gate.evidence([fallen, ...others]) });
}

/** The verdict with what the container left behind; containers and their logs vanish soon, so this is read at once. */
export async function failureOf(verdict: Extract<Verdict, { kind: 'failed' }>, cluster: Cluster): Promise<DeployError> {
  const evidence = verdict.task ? await cluster.evidence(verdict.task) : { out_of_memory: false, last_lines: [] };
  return toDeployError(verdict, evidence);
}
