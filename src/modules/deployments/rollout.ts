/** Looking after a service while it changes: what it shall be, how far it is, why it failed, and the way back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { serviceName } from '../../domain/app-spec.js';
import { judge, toDeployError, type Verdict } from '../../domain/convergence.js';
import type { DeployError } from '../../domain/errors.js';
import { Cluster, type DesiredService, type TaskView } from '../../domain/ports.js';
import type { DeploymentSession } from './deployment-session.js';

/** Swarm's events tell of the local node only, so the tasks are asked for: 3 ms of the engine's time each. */
export const POLL_MS = 200;

export interface Progress {
  readonly verdict: Verdict;
  /** Tasks of this deployment that run. */
  readonly running: readonly TaskView[];
}

@Injectable()
export class Rollout {
  constructor(private readonly cluster: Cluster) {}

  desired({ state, config, env }: DeploymentSession): DesiredService {
    const { id, app_name, environment, project, release } = state.identity;
    const { image } = state.outputs;
    if (image === undefined) throw new Error(`deployment ${id} has no image`);
    const { replicas, command, ports, volumes, resources } = config;
    const name = serviceName(app_name, environment);
    return {
      name,
      app_name,
      environment,
      project,
      deployment_id: id,
      release,
      image,
      replicas,
      env,
      command,
      ports,
      volumes,
      resources,
    };
  }

  async progress({ state, config }: DeploymentSession, since_ms: number): Promise<Progress> {
    const { id: deployment_id, app_name, environment } = state.identity;
    const name = serviceName(app_name, environment);
    const [service, tasks] = await Promise.all([
      this.cluster.findService(name),
      this.cluster.tasks(name, deployment_id),
    ]);
    const verdict = judge({ service, tasks, deployment_id, replicas: config.replicas, since_ms });
    return { verdict, running: tasks.filter((task) => task.state === 'running' && task.desired_state === 'running') };
  }

  /** Repeats `look` until it answers true; ends at once when the rollout has failed or the session is stopped. */
  async watch(session: DeploymentSession, look: (progress: Progress) => Promise<boolean> | boolean): Promise<void> {
    const began = performance.now();
    let told = '';
    for (;;) {
      session.signal.throwIfAborted();
      const progress = await this.progress(session, performance.now() - began);
      const { verdict } = progress;
      if (verdict.kind === 'failed') throw await this.#failure(verdict);
      if (verdict.kind === 'waiting' && verdict.reason !== told) session.log('info', (told = verdict.reason));
      if (await look(progress)) return;
      await sleep(POLL_MS, undefined, { signal: session.signal });
    }
  }

  /** The verdict with what the container left behind; containers and their logs vanish soon, so this is read at once. */
  async #failure(verdict: Extract<Verdict, { kind: 'failed' }>): Promise<DeployError> {
    const evidence = verdict.task
      ? await this.cluster.evidence(verdict.task)
      : { out_of_memory: false, last_lines: [] };
    return toDeployError(verdict, evidence);
  }

  /** Takes the change of the service back, and says what serves now. */
  async takeBack(session: DeploymentSession): Promise<void> {
    const { id, app_name, environment } = session.state.identity;
    const name = serviceName(app_name, environment);
    const outcome = await this.cluster.restore(name, id);
    if (outcome === 'restored') session.log('warn', `${name} was set back to the version before`);
    if (outcome === 'removed') session.log('warn', `${name} was removed: there is no version before`);
    if (outcome === 'untouched') {
      // Swarm may have set it back by itself already, or never taken the change.
      const serving = (await this.cluster.findService(name))?.deployment_id;
      if (serving !== undefined) session.log('warn', `${name} runs the version of ${serving}`);
    }
  }
}
