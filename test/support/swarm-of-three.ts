/** FlukeDeploy on the first of three machines: its process, its edge and the load beside the Engine it speaks to, a registry for all. */
import { randomBytes } from 'node:crypto';
import { throughElections } from '../../src/adapters/docker/leader.js';
import { unlessGone } from '../../src/adapters/docker/swarm-services.js';
import { Client } from './client.js';
import { openGate, type NamespaceGate } from './namespace-gate.js';
import { TestInstallation } from './server-process.js';
import { REGISTRY_USER, startTestRegistry, type TestRegistry } from './test-registry.js';
import { ThreeNodes, type SwarmMachine } from './three-nodes.js';
import { TrafficLoad, type TrafficLoadOptions } from './traffic-load.js';

const API_PORT = 3_000;
const EDGE_PORT = 8_080;
const ROOT_DOMAIN = 'apps.test';

/** Where a replica is that shall run. */
export interface Replica {
  readonly service: string;
  readonly node: string;
  readonly state: string;
  readonly container: string | undefined;
}

interface Task {
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly ContainerID?: string } };
}

export class SwarmOfThree {
  readonly #name = `fdthree-${randomBytes(4).toString('hex')}`;

  private constructor(
    readonly nodes: ThreeNodes,
    private readonly registry: TestRegistry,
    private readonly installation: TestInstallation,
    private readonly gate: NamespaceGate,
    readonly client: Client,
    /** Of node's image, in the registry. */
    readonly image: string,
  ) {}

  static async start(): Promise<SwarmOfThree> {
    const nodes = await ThreeNodes.start();
    try {
      const { first, registryHost: host, switchboard } = nodes;
      const registry = await startTestRegistry({ host, inside: switchboard });
      await Promise.all([nodes.load(first, 'nginx:1.30'), nodes.load(first, 'node:24')]);
      const image = await publish(first, 'node:24', `${host}/team/node`);
      const { username, password } = REGISTRY_USER;
      const environment = {
        DOCKER_HOST: first.host,
        HOST: '0.0.0.0',
        PORT: String(API_PORT),
        HTTP_PORT: String(EDGE_PORT),
        HTTPS_PORT: String(EDGE_PORT + 1),
        ROOT_DOMAIN,
        REGISTRY_URL: `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}/team`,
      };
      const installation = await TestInstallation.create(environment, first.inside);
      const gate = await openGate(first.inside, `127.0.0.1:${API_PORT}`);
      const client = await Client.logIn(() => `http://${gate.host}`);
      return new SwarmOfThree(nodes, registry, installation, gate, client, image);
    } catch (error) {
      await nodes.remove();
      throw error;
    }
  }

  /** The app's name in this run. */
  get app(): string {
    return this.#name;
  }

  /** Through the edge, at the address of its machine. */
  load(options: Partial<TrafficLoadOptions> = {}): Promise<TrafficLoad> {
    const { address, inside } = this.nodes.first;
    const url = `http://${address}:${EDGE_PORT}`;
    return TrafficLoad.start({ url, host: `${this.app}.${ROOT_DOMAIN}`, ...options }, inside);
  }

  /** Names of the app's services. */
  async services(): Promise<string[]> {
    const filters = { label: [`flukedeploy.app=${this.app}`] };
    const services = await throughElections(() => this.nodes.first.docker.listServices({ filters }));
    return services.map(({ Spec }) => Spec?.Name ?? '').sort();
  }

  /** All replicas that Swarm wants. */
  replicas(): Promise<Replica[]> {
    return throughElections(() => this.#replicas());
  }

  async #replicas(): Promise<Replica[]> {
    const { docker } = this.nodes.first;
    const listed = (await docker.listNodes()) as { ID: string; Description: { Hostname: string } }[];
    const found = await Promise.all(
      (await this.services()).map(async (service) => {
        const filters = { service: [service], 'desired-state': ['running'] };
        // The service may have gone since.
        const tasks = await unlessGone(() => docker.listTasks({ filters }) as Promise<Task[]>, []);
        return tasks.map(({ NodeID, Status }) => ({
          service,
          node: listed.find(({ ID }) => ID === NodeID)?.Description.Hostname ?? '',
          state: Status.State,
          container: Status.ContainerStatus?.ContainerID,
        }));
      }),
    );
    return found.flat();
  }

  /** Containers of the app that run on the machine, whatever Swarm believes. */
  async containers({ docker }: SwarmMachine): Promise<string[]> {
    const running = await docker.listContainers({ filters: { label: ['flukedeploy.managed=true'] } });
    return running
      .filter(({ Labels }) => Labels['com.docker.swarm.service.name']?.startsWith(this.app))
      .map(({ Id }) => Id);
  }

  async remove(): Promise<void> {
    try {
      this.gate.close();
      await this.installation.remove();
      await this.registry.stop();
    } finally {
      await this.nodes.remove();
    }
  }
}

/** Answers the name by which every node can fetch it. */
async function publish({ docker }: SwarmMachine, image: string, repository: string): Promise<string> {
  await docker.getImage(image).tag({ repo: repository, tag: '24' });
  const pushed = await docker
    .getImage(`${repository}:24`)
    .push({ authconfig: { ...REGISTRY_USER, serveraddress: repository } });
  await new Promise<void>((resolve, reject) =>
    docker.modem.followProgress(pushed, (error) => (error ? reject(error) : resolve())),
  );
  return `${repository}:24`;
}
