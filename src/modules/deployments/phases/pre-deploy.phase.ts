/** pre_deploy: can the cluster run what is asked for? Nothing is touched yet. */
import { Injectable } from '@nestjs/common';
import { runsAgain, serviceName } from '../../../domain/app-spec.js';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import { Cluster, Images, type ImageView } from '../../../domain/ports.js';
import { preflight } from '../../../domain/preflight.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';

@Injectable()
export class PreDeployPhase extends PhaseHandler {
  readonly phase = 'pre_deploy';

  constructor(
    private readonly cluster: Cluster,
    private readonly images: Images,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const { identity, base } = session.state;
    const { validation_level } = session.record.spec;
    const service_name = serviceName(identity);
    const [before] = base?.traffic?.stable ?? [];
    const findings = preflight({
      config: session.config,
      service_name,
      cluster: await this.cluster.view(),
      service: await this.cluster.findService(service_name),
      deployment_id: identity.id,
      replaces: before?.service,
      replicas_before: base?.replicas ?? 0,
      image: await this.#image(session),
    });
    for (const { severity, message } of findings) session.log(severity === 'error' ? 'error' : 'warn', message);

    const failing = findings.filter(({ severity }) => severity === 'error' || validation_level === 'strict');
    const first = failing[0];
    if (first) throw new DeployError(first.code, first.message, { evidence: failing.map(({ message }) => message) });
    session.log('info', 'Service discovery by DNS, ports in host mode: no virtual IP or routing mesh is used');
    return { service: service_name };
  }

  /** An image that runs again may be gone from this node, but not from its registry. */
  async #image(session: DeploymentSession): Promise<ImageView | undefined> {
    const { image } = session.state.outputs;
    if (!runsAgain(session.record.spec.source)) return this.images.inspect(image ?? session.tag);
    if (image === undefined) throw new DeployError('app_not_live', 'No release was live when this deployment started.');
    try {
      return await this.images.resolve(image, session.output, session.signal);
    } catch (error) {
      if (!(error instanceof DeployError && error.code === 'image_not_found')) throw error;
      throw new DeployError('release_image_gone', `The image ${image} is neither here nor in its registry any more.`);
    }
  }
}
