/** What a container tells of its end: how it ended, its last health check and its last lines. */
import type Docker from 'dockerode';
import { LIMITS } from '../../domain/limits.js';
import type { ContainerEvidence } from '../../domain/ports.js';
import { isAbort, statusOf } from './docker-failure.js';
import { frames } from './multiplexed.js';
import { plainLines } from './output-lines.js';

export const NO_EVIDENCE: ContainerEvidence = { out_of_memory: false, last_lines: [] };
const LOG_TIMEOUT_MS = 5_000;

/** None where the container is gone, or runs on another node than this Engine's. */
export async function containerEvidence(docker: Docker, containerId: string): Promise<ContainerEvidence> {
  const container = docker.getContainer(containerId);
  try {
    const { State } = await container.inspect();
    const checks = State.Health?.Log ?? [];
    const last = checks.at(-1);
    // A check that runs while the container is stopped prints nothing: the last one that said something tells more.
    const telling = checks.findLast(({ ExitCode, Output }) => ExitCode !== 0 && Output.trim() !== '') ?? last;
    return {
      out_of_memory: State.OOMKilled,
      ...(!State.Running && { exit_code: State.ExitCode }),
      ...(last && last.ExitCode !== 0 && telling && { health_output: telling.Output.trim() }),
      last_lines: await lastLines(container),
    };
  } catch (error) {
    if (statusOf(error) === 404) return NO_EVIDENCE;
    throw error;
  }
}

/** Of the container, never of the service: that call hangs on Engine 20.10 when the answer is long. */
async function lastLines(container: Docker.Container): Promise<string[]> {
  const abortSignal = AbortSignal.timeout(LOG_TIMEOUT_MS);
  try {
    const log = await container.logs({ stdout: true, stderr: true, tail: LIMITS.evidence_lines, abortSignal });
    const parts: Buffer[] = [];
    for await (const { bytes } of frames([log])) parts.push(bytes);
    return plainLines(Buffer.concat(parts).toString()).slice(-LIMITS.evidence_lines);
  } catch (error) {
    if (isAbort(error)) return ['(the log could not be read in time)'];
    throw error;
  }
}
