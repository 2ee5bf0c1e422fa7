/** The facts that a plan is made from: the order, and what serves in the cluster now. */
import { Injectable } from '@nestjs/common';
import { runsAgain, serviceName } from '../../../domain/app-spec.js';
import type { PlanInput } from '../../../domain/deploy-plan.js';
import type { Plugin } from '../../../domain/plugin.js';
import { Cluster, Secrets } from '../../../domain/ports.js';
import { roomFor } from '../../../domain/preflight.js';
import { gateOf } from '../rollout/health-gate.js';
import { serviceAlike, serviceContent } from '../rollout/service-content.js';
import type { Outlook } from './outlook.js';
import type { CheckedImage } from './validation-checks.js';

@Injectable()
export class PlanInputs {
  constructor(
    private readonly cluster: Cluster,
    private readonly secrets: Secrets,
  ) {}

  async of(outlook: Outlook, { name, view }: CheckedImage): Promise<PlanInput> {
    const { identity, base, spec, config, plugins } = outlook;
    const [{ nodes }, services] = await Promise.all([this.cluster.view(), this.cluster.services(identity)]);
    const adopted = runsAgain(spec.source) ? serviceAlike(services, this.#content(outlook), base.traffic) : undefined;
    const serving = (base.traffic?.stable ?? []).map(({ service }) => service);
    const replicas = services.filter((each) => serving.includes(each.name)).map((each) => each.replicas);
    return {
      spec,
      config,
      service: serviceName(identity),
      before: { services: serving, replicas: replicas.reduce((sum, each) => sum + each, 0) },
      check: gateOf(config, view).check,
      plugins: {
        pre_build: namesOf(plugins.pre_build),
        pre_deploy: namesOf(plugins.pre_deploy),
        post_deploy: namesOf(plugins.post_deploy),
      },
      room: roomFor(config.resources, nodes),
      ...(name !== undefined && { image: name }),
      ...(adopted && { adopted: adopted.name }),
    };
  }

  /** Of the replicas that would run the live image. */
  #content({ identity: { project }, base: { image = '' }, config, env, secrets }: Outlook): string {
    const { command, ports, volumes, resources } = config;
    const exposed = config.port > 0;
    return serviceContent(this.secrets, { image, env, secrets, command, ports, volumes, resources, exposed, project });
  }
}

function namesOf(plugins: readonly Plugin[]): string[] {
  return plugins.map(({ name }) => name);
}
