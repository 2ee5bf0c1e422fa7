/** pre_deploy: can the cluster run what is asked for? Nothing is touched yet. */
import { Injectable } from '@nestjs/common';
import { serviceName } from '../../../domain/app-spec.js';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import { Cluster, Images } from '../../../domain/ports.js';
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
    const { app_name, environment } = session.state.identity;
    const { validation_level } = session.record.spec;
    const service_name = serviceName(app_name, environment);
    const findings = preflight({
      config: session.config,
      service_name,
      cluster: await this.cluster.view(),
      service: await this.cluster.findService(service_name),
      image: await this.images.inspect(session.state.outputs.image ?? session.tag),
    });
    for (const { severity, message } of findings) session.log(severity === 'error' ? 'error' : 'warn', message);

    const failing = findings.filter(({ severity }) => severity === 'error' || validation_level === 'strict');
    const first = failing[0];
    if (first) throw new DeployError(first.code, first.message, { evidence: failing.map(({ message }) => message) });
    session.log('info', 'Service discovery by DNS, ports in host mode: no virtual IP or routing mesh is used');
    return { service: service_name };
  }
}
