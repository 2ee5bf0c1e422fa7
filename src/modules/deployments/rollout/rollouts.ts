/** Opens the rollout of a deployment: what its service shall be, which one that is, and how it proves itself. */
import { Injectable } from '@nestjs/common';
import { runsAgain, serviceName } from '../../../domain/app-spec.js';
import { Cluster, DeploymentStore, Edge, Images, Secrets, type DesiredService } from '../../../domain/ports.js';
import { hostsOf, trafficOf } from '../../../domain/rollout-plan.js';
import { EdgeRouter } from '../../edge/index.js';
import type { DeploymentSession } from '../deployment-session.js';
import { gateOf, HealthGate, NODE_LOSS_MS } from './health-gate.js';
import { Rollout } from './rollout.js';
import { serviceAlike, serviceContent } from './service-content.js';
import { throwIfTakenBack } from './rollout-failures.js';
import type { RolloutPorts } from './rollout-ports.js';

export class RolloutOptions {
  constructor(
    /** Apps answer at `<app>.<root domain>` where it is set. */
    readonly rootDomain: string | undefined,
    /** Where the edge answers plain HTTP. */
    private readonly httpPort: number,
  ) {}

  urlOf(host: string): string {
    return `http://${host}${this.httpPort === 80 ? '' : `:${this.httpPort}`}/`;
  }
}

@Injectable()
export class Rollouts {
  readonly ports: RolloutPorts;

  constructor(
    private readonly options: RolloutOptions,
    private readonly images: Images,
    private readonly secrets: Secrets,
    cluster: Cluster,
    edge: Edge,
    router: EdgeRouter,
    store: DeploymentStore,
  ) {
    this.ports = { cluster, edge, router, store };
  }

  async open(session: DeploymentSession): Promise<Rollout> {
    const { state, config } = session;
    // The worker before this one died while it took the version back.
    throwIfTakenBack(state);
    const { identity, base } = state;
    const own = this.#desired(session);
    const name = await this.#choose(session, own);
    const desired = { ...own, name };
    const image = await this.images.inspect(desired.image);
    const { nodes } = await this.ports.cluster.view();
    const hosts = hostsOf(identity, config.domains, this.options.rootDomain);
    return new Rollout(
      session,
      desired,
      name !== own.name,
      new HealthGate(session, gateOf(config, image), this.ports, nodes.length > 1 ? NODE_LOSS_MS : 0),
      trafficOf(identity, config, hosts, base?.traffic?.stable ?? []),
      this.ports,
    );
  }

  #desired({ state, config, env, secrets }: DeploymentSession): DesiredService {
    const { id: deployment_id, app_name, environment, project, release } = state.identity;
    const { image } = state.outputs;
    if (image === undefined) throw new Error(`deployment ${deployment_id} has no image`);
    const { replicas, command, ports, volumes, resources } = config;
    const exposed = config.port > 0;
    const parts = { image, env, secrets, command, ports, volumes, resources, exposed, project };
    return {
      ...parts,
      name: serviceName({ app_name, environment, release }),
      app_name,
      environment,
      deployment_id,
      release,
      replicas,
      content: serviceContent(this.secrets, parts),
    };
  }

  /** Where an image runs again and a service runs just what is asked for, that one becomes the new version, and no replica is replaced. */
  async #choose({ state, record }: DeploymentSession, own: DesiredService): Promise<string> {
    if (state.rollout?.service) return state.rollout.service;
    if (!runsAgain(record.spec.source) || record.spec.fresh) return own.name;
    const services = await this.ports.cluster.services(own);
    return serviceAlike(services, own.content, state.base?.traffic)?.name ?? own.name;
  }
}
