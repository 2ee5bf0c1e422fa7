/** Removes jobs that ended deployments have left: results that were kept for whoever takes them up, and what a crash has left. */
import { Injectable } from '@nestjs/common';
import type { DeploymentState } from '../../domain/deployment.js';
import { isFinal } from '../../domain/phases.js';
import { isUnderWay } from './validation/validation-id.js';
import { DeploymentStore, Jobs, type AppPlace } from '../../domain/ports.js';

/** So long a worker that lost the deployment may take to notice: with the job gone, it would start it again. */
const PATIENCE_MS = 60_000;

@Injectable()
export class JobCleanup {
  constructor(
    private readonly deployments: DeploymentStore,
    private readonly jobs: Jobs,
  ) {}

  async round(): Promise<void> {
    await this.#remove(({ finished_at }) => Date.now() - Date.parse(finished_at ?? '') > PATIENCE_MS);
  }

  /** Those of an app that is removed; a deployment that came in between keeps its own. */
  async removeOf({ app_name, environment }: AppPlace): Promise<void> {
    await this.#remove(({ identity }) => identity.app_name === app_name && identity.environment === environment);
  }

  /** A deployment that is not known has none to come: it is stored before its first job is made. */
  async #remove(chosen: (state: DeploymentState) => boolean): Promise<void> {
    for (const id of await this.jobs.owners()) {
      if (isUnderWay(id)) continue;
      const state = (await this.deployments.find(id))?.state;
      if (state === undefined || (isFinal(state.status) && chosen(state))) await this.jobs.remove(id);
    }
  }
}
