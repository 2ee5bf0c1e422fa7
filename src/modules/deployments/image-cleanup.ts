/** Removes images that FlukeDeploy has built and no kept release needs. */
import { Injectable } from '@nestjs/common';
import { isFinal } from '../../domain/phases.js';
import { isUnderWay, isValidation } from './validation/validation-id.js';
import { AppStore, DeploymentStore, Images } from '../../domain/ports.js';

export class ImageCleanupOptions {
  constructor(
    /** Releases of each app whose images are kept. */
    readonly releases: number,
  ) {}
}

@Injectable()
export class ImageCleanup {
  constructor(
    private readonly options: ImageCleanupOptions,
    private readonly apps: AppStore,
    private readonly deployments: DeploymentStore,
    private readonly images: Images,
  ) {}

  async round(): Promise<void> {
    const built = await this.images.built();
    const inUse = await this.apps.imagesInUse(this.options.releases);
    for (const { tag, deployment_id, references } of built) {
      if (inUse.deployments.includes(deployment_id)) continue;
      if (references.some((reference) => inUse.images.includes(reference))) continue;
      if (await this.#isOver(deployment_id)) await this.images.remove(tag);
    }
  }

  /** An image of another installation is none of ours; those of validations are nobody's after a while. */
  async #isOver(id: string): Promise<boolean> {
    if (isValidation(id)) return !isUnderWay(id);
    const record = await this.deployments.find(id);
    return record !== undefined && isFinal(record.state.status);
  }
}
