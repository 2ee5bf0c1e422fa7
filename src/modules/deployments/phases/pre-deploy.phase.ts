/** pre_deploy: the image is there and nothing of the cluster is touched yet; the plugins say whether it may be. */
import { Injectable } from '@nestjs/common';
import { runsAgain, serviceName } from '../../../domain/app-spec.js';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import { Images, type ImageView } from '../../../domain/ports.js';
import type { DeploymentSession } from '../deployment-session.js';
import { HookReach } from '../hooks/hook-reach.js';
import { HookRunner } from '../hooks/hook-runner.js';
import { PhaseHandler } from '../phase-handler.js';

@Injectable()
export class PreDeployPhase extends PhaseHandler {
  readonly phase = 'pre_deploy';

  constructor(
    private readonly images: Images,
    private readonly hooks: HookRunner,
    private readonly reach: HookReach,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const image = await this.#image(session);
    await this.hooks.run(session, this.phase, (...due) => this.reach.beforeTraffic(session, image, ...due));
    session.log('info', 'Service discovery by DNS, ports in host mode: no virtual IP or routing mesh is used');
    return { service: serviceName(session.state.identity) };
  }

  /** An image that runs again may be gone from this node, but not from its registry. */
  async #image(session: DeploymentSession): Promise<ImageView> {
    const { image } = session.state.outputs;
    const again = runsAgain(session.record.spec.source);
    if (image === undefined) throw new DeployError('app_not_live', 'No release was live when this deployment started.');
    const here = again ? undefined : await this.images.inspect(image);
    if (here) return here;
    try {
      return await this.images.resolve(image, session.output, session.signal);
    } catch (error) {
      if (!again || !(error instanceof DeployError && error.code === 'image_not_found')) throw error;
      throw new DeployError('release_image_gone', `The image ${image} is neither here nor in its registry any more.`);
    }
  }
}
