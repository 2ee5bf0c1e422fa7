/**
 * Jobs as services of Docker Swarm. The unique name of a service is what makes a job run once: Swarm refuses the second one. A job that
 * is stopped keeps its service, without a replica, so that nobody can start it again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { missingCommand, toDeployError } from '../../domain/convergence.js';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import {
  Jobs,
  type Cluster,
  type Job,
  type JobResult,
  type OutputLine,
  type ServiceView,
  type TaskView,
} from '../../domain/ports.js';
import { exitFault, taskFault } from '../../domain/task-fault.js';
import { NO_EVIDENCE } from './container-evidence.js';
import { followOutput } from './container-output.js';
import type { DockerClient } from './docker-client.js';
import { dockerFailure } from './docker-failure.js';
import type { EngineInfo } from './docker-types.js';
import { jobLabels, jobSpec } from './job-spec.js';
import { standing, type Standing } from './job-standing.js';
import { throughElections } from './leader.js';
import { ensureProjectNetwork } from './networks.js';
import { NO_REGISTRIES, registryAuth } from './registry-location.js';
import { LABEL } from './service-spec.js';
import type { SwarmOptions } from './swarm-cluster.js';
import { ensureSecrets } from './swarm-secrets.js';
import { createService, unlessGone } from './swarm-services.js';

const LOOK_EVERY_MS = 200;
/** Docker's time of what has never been. */
const NEVER = '0001-01-01T00:00:00Z';

export class SwarmJobs extends Jobs {
  constructor(
    private readonly client: DockerClient,
    private readonly cluster: Cluster,
    private readonly options: Pick<SwarmOptions, 'installation' | 'registries'>,
  ) {
    super();
  }

  override async run(
    job: Job,
    output: OutputLine,
    signal: AbortSignal,
    runsOn: (reason: unknown) => boolean,
  ): Promise<JobResult> {
    try {
      const taken_up = !(await this.start(job, signal));
      return { ...(await this.finish(job, output, signal)), taken_up };
    } catch (error) {
      if (!signal.aborted) throw dockerFailure(error, `running the job ${job.name}`);
      // Where Docker does not answer, the job goes when its deployment has ended.
      if (!runsOn(signal.reason)) await this.stop(job).catch(() => undefined);
      signal.throwIfAborted();
      throw error;
    }
  }

  override async remove(deploymentId: string): Promise<void> {
    const own = (await this.parts()).filter(({ deployment_id }) => deployment_id === deploymentId);
    for (const name of new Set(own.map(({ job }) => job))) await this.cluster.remove(name);
  }

  override async owners(): Promise<string[]> {
    return [...new Set((await this.parts()).map(({ deployment_id }) => deployment_id))];
  }

  /** Answers whether it was this call that started it. */
  private async start(job: Job, signal: AbortSignal): Promise<boolean> {
    if (await this.service(job)) return false;
    const { installation, registries = NO_REGISTRIES } = this.options;
    return this.call(async (docker) => {
      const project = await ensureProjectNetwork(docker, job.project);
      const secrets = await ensureSecrets(docker, job, installation, jobLabels(job));
      const { Swarm } = (await docker.info()) as EngineInfo;
      const spec = jobSpec(job, { installation, project, secrets, node: Swarm.NodeID });
      const login = registryAuth(await registries(), job.image);
      // The last look before the change; the call itself is not cut off, so that there is an answer to whether it was made.
      signal.throwIfAborted();
      return createService(docker, spec, login);
    });
  }

  private async finish(job: Job, output: OutputLine, signal: AbortSignal): Promise<Omit<JobResult, 'taken_up'>> {
    let lastLines: readonly string[] | undefined;
    for (;;) {
      const now = await this.look(job);
      signal.throwIfAborted();
      switch (now.kind) {
        case 'running':
        case 'ended':
          lastLines ??= await this.follow(now.task, output, signal);
          if (now.kind === 'ended') return this.result(now.task, lastLines);
          break;
        case 'unplaced':
          await this.stop(job);
          throw toDeployError(now.fault, NO_EVIDENCE);
        case 'refused':
          throw toDeployError(now.fault, NO_EVIDENCE);
        case 'lost':
          throw new DeployError('job_outcome_unknown', `Nobody can tell how the job ended. ${now.message}`);
        case 'waiting':
      }
      await pause(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  private async look(job: Job): Promise<Standing> {
    const [service, tasks] = await Promise.all([this.service(job), this.cluster.tasks(job.name)]);
    return standing(service, tasks);
  }

  /** @throws DeployError `name_taken` where it is not this job's */
  private async service({ name, deployment_id }: Job): Promise<ServiceView | undefined> {
    const service = await this.cluster.findService(name);
    if (service === undefined || (service.managed && service.deployment_id === deployment_id)) return service;
    throw new DeployError('name_taken', `A service named ${name} exists and is not this deployment's.`);
  }

  /** Of its own container: a service's log hangs on Engine 20.10 when it is long. */
  private async follow(task: TaskView, output: OutputLine, signal: AbortSignal): Promise<readonly string[]> {
    const last: string[] = [];
    const take = (line: string): void => {
      if (last.push(line) > LIMITS.evidence_lines) last.shift();
      output(line);
    };
    if (task.container_id) await followOutput(await this.client.streams(), task.container_id, take, signal);
    return last;
  }

  private async result(task: TaskView, last_lines: readonly string[]): Promise<Omit<JobResult, 'taken_up'>> {
    const container = await this.containerState(task);
    // Swarm's own word, where the container is gone or is another Engine's.
    const exit_code = container?.ExitCode ?? task.exit_code;
    const left = { out_of_memory: container?.OOMKilled ?? false, last_lines };
    const fault = taskFault(task);
    if (fault && (exit_code === undefined || container?.StartedAt === NEVER)) throw toDeployError(fault, left);
    if (exit_code === undefined) throw new DeployError('job_outcome_unknown');
    // Docker's init process runs even where the command does not.
    if (exit_code === 127 && missingCommand(last_lines)) throw toDeployError(exitFault(task, exit_code), left);
    const duration_ms = container ? Date.parse(container.FinishedAt) - Date.parse(container.StartedAt) : 0;
    return { ...left, exit_code, duration_ms };
  }

  private async containerState({ container_id }: TaskView): Promise<Docker.ContainerInspectInfo['State'] | undefined> {
    if (container_id === undefined) return undefined;
    return this.call((docker) =>
      unlessGone(async () => (await docker.getContainer(container_id).inspect()).State, undefined),
    );
  }

  private async stop(job: Job): Promise<void> {
    if (await this.service(job)) await this.cluster.scale(job.name, 0);
  }

  /** Services and secrets; the latter also of jobs that never came to be, because their worker died between the two. */
  private async parts(): Promise<{ job: string; deployment_id: string }[]> {
    const filters = { label: [`${LABEL.installation}=${this.options.installation}`, LABEL.job] };
    const [services, secrets] = await this.call((docker) =>
      Promise.all([docker.listServices({ filters }), docker.listSecrets({ filters })]),
    );
    return [...services, ...secrets].map(({ Spec }) => ({
      job: Spec?.Labels?.[LABEL.service] ?? Spec?.Name ?? '',
      deployment_id: Spec?.Labels?.[LABEL.deployment] ?? '',
    }));
  }

  private async call<T>(work: (docker: Docker) => Promise<T>): Promise<T> {
    try {
      const docker = await this.client.calls();
      return await throughElections(() => work(docker));
    } catch (error) {
      throw dockerFailure(error, 'working on a job');
    }
  }
}
