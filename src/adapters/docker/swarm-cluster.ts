/** The cluster as Docker Swarm. It changes only services that carry our label. */
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import {
  Cluster,
  type ClusterView,
  type ContainerEvidence,
  type DesiredService,
  type ServiceView,
  type TaskView,
} from '../../domain/ports.js';
import { containerEvidence, NO_EVIDENCE } from './container-evidence.js';
import type { DockerClient } from './docker-client.js';
import { dockerFailure } from './docker-failure.js';
import type { EngineInfo, SwarmNode, SwarmTask } from './docker-types.js';
import { throughElections } from './leader.js';
import { ensureNetwork, ensureProjectNetwork } from './networks.js';
import { NO_REGISTRIES, registryAuth, type Registries } from './registry-location.js';
import { LABEL, serviceSpec } from './service-spec.js';
import { compareAndSet, createService, inspectService, unlessGone, updateService } from './swarm-services.js';
import { ensureSecrets, removeSecrets } from './swarm-secrets.js';
import { imageOf, nodeView, publishedPorts, serviceView, taskView } from './swarm-views.js';
import { taskAddress } from './task-address.js';
import { removeVolumes } from './volumes.js';

/** The service does not exist; told apart from "somebody else was faster". */
const GONE = 'gone';

export interface SwarmOptions {
  /** Marks what this installation made: several may share a Swarm. */
  readonly installation: string;
  /** Network that the edge shares with what it must reach; absent where there is no edge. */
  readonly edgeNetwork?: string | undefined;
  /** Whose logins Swarm hands to the nodes; left out = none. */
  readonly registries?: Registries | undefined;
}

export class SwarmCluster extends Cluster {
  /** Host names by node id; a node never changes its name. */
  readonly #hostnames = new Map<string, string>();

  constructor(
    private readonly client: DockerClient,
    private readonly options: SwarmOptions,
  ) {
    super();
  }

  override async view(): Promise<ClusterView> {
    return this.call('looking at the cluster', async (docker) => {
      const { ServerVersion: engine_version, Swarm } = (await docker.info()) as EngineInfo;
      if (Swarm.LocalNodeState !== 'active' || !Swarm.ControlAvailable) {
        return { swarm_active: false, engine_version, nodes: [], published_ports: [] };
      }
      const [nodes, tasks, services] = await Promise.all([
        docker.listNodes() as Promise<SwarmNode[]>,
        docker.listTasks({ filters: { 'desired-state': ['running'] } }) as Promise<SwarmTask[]>,
        docker.listServices(),
      ]);
      return {
        swarm_active: true,
        engine_version,
        nodes: nodes.map((node) => nodeView(node, tasks)),
        published_ports: publishedPorts(services),
      };
    });
  }

  override async findService(name: string): Promise<ServiceView | undefined> {
    return this.call(`looking for the service ${name}`, async (docker) => {
      const service = await inspectService(docker, name);
      return service && serviceView(service, this.options.installation);
    });
  }

  override async services(app?: { app_name: string; environment: string }): Promise<ServiceView[]> {
    return this.call('looking for the services', async (docker) => {
      const label = [
        `${LABEL.installation}=${this.options.installation}`,
        // The edge is no app's.
        ...(app ? [`${LABEL.app}=${app.app_name}`, `${LABEL.environment}=${app.environment}`] : [LABEL.app]),
      ];
      const services = await docker.listServices({ filters: { label } });
      return services.map((service) => serviceView(service, this.options.installation));
    });
  }

  override async create(desired: DesiredService, signal?: AbortSignal): Promise<'created' | 'unchanged'> {
    return this.call(`the service ${desired.name}`, async (docker) => {
      const { installation, edgeNetwork } = this.options;
      // Before anything is made for it: what is left behind for a name that is taken would be nobody's.
      if (await this.isMade(docker, desired)) return 'unchanged';
      const project = await ensureProjectNetwork(docker, desired.project);
      const edge = desired.exposed && edgeNetwork ? [await ensureNetwork(docker, edgeNetwork)] : [];
      const secrets = await ensureSecrets(docker, desired, installation);
      const spec = serviceSpec(desired, { project, edge, secrets, installation });
      const login = await this.login(desired.image);
      // The last look before the change: an undo that came in the meantime must not be undone.
      signal?.throwIfAborted();
      if (await createService(docker, spec, login)) return 'created';
      // Another worker was faster; where its service is gone again already, the next attempt makes it.
      if (await this.isMade(docker, desired)) return 'unchanged';
      throw new DeployError('service_changed', `The service ${desired.name} was removed while it was made.`);
    });
  }

  /** Whether this deployment has made the service before. @throws DeployError `name_taken` when somebody else has */
  private async isMade(docker: Docker, { name, deployment_id }: DesiredService): Promise<boolean> {
    const service = await inspectService(docker, name);
    if (service === undefined) return false;
    const existing = serviceView(service, this.options.installation);
    if (existing.managed && existing.deployment_id === deployment_id) return true;
    throw new DeployError('name_taken', `A service named ${name} exists and is not this deployment's.`);
  }

  override async scale(serviceName: string, replicas: number, signal?: AbortSignal): Promise<number | undefined> {
    return this.call(`scaling ${serviceName}`, async (docker) => {
      const from = await compareAndSet(serviceName, async () => {
        const current = await this.own(docker, serviceName);
        if (current === undefined) return GONE;
        const before = current.Spec?.Mode?.Replicated?.Replicas ?? 0;
        if (before === replicas) return before;
        const spec = { ...current.Spec, Mode: { Replicated: { Replicas: replicas } } } as Docker.ServiceSpec;
        const auth = await this.login(imageOf(spec));
        signal?.throwIfAborted();
        return (await updateService(docker, current, spec, auth)) ? before : undefined;
      });
      return from === GONE ? undefined : from;
    });
  }

  override async remove(serviceName: string): Promise<boolean> {
    return this.call(`removing ${serviceName}`, async (docker) => {
      const current = await this.own(docker, serviceName);
      if (current) await unlessGone(() => docker.getService(current.ID).remove(), undefined);
      // Also those of a service that never came to be: its worker may have died between the two.
      await removeSecrets(docker, serviceName, this.options.installation);
      return current !== undefined;
    });
  }

  override async removeVolumes(names: readonly string[]): Promise<string[]> {
    return this.call('removing volumes', (docker) => removeVolumes(docker, names, this.options.installation));
  }

  private async login(image: string | undefined): Promise<Docker.AuthConfigObject> {
    return registryAuth(await (this.options.registries ?? NO_REGISTRIES)(), image);
  }

  private async own(docker: Docker, serviceName: string): Promise<Docker.Service | undefined> {
    const service = await inspectService(docker, serviceName);
    return service && serviceView(service, this.options.installation).managed ? service : undefined;
  }

  override async tasks(serviceName: string): Promise<TaskView[]> {
    return this.call(`looking for the tasks of ${serviceName}`, async (docker) => {
      const tasks = await listTasks(docker, { service: [serviceName] });
      await this.learnHostnames(docker, tasks);
      const hostname = (nodeId: string): string => this.#hostnames.get(nodeId) ?? nodeId;
      return tasks.map((task) => taskView(task, hostname, this.options.edgeNetwork, Date.now()));
    });
  }

  private async learnHostnames(docker: Docker, tasks: readonly SwarmTask[]): Promise<void> {
    if (tasks.every(({ NodeID }) => !NodeID || this.#hostnames.has(NodeID))) return;
    for (const { ID, Description } of (await docker.listNodes()) as SwarmNode[]) {
      this.#hostnames.set(ID, Description.Hostname);
    }
  }

  override async evidence(task: TaskView): Promise<ContainerEvidence> {
    const { container_id } = task;
    if (container_id === undefined) return NO_EVIDENCE;
    return this.call('reading what a container left behind', (docker) => containerEvidence(docker, container_id));
  }

  override async address(task: TaskView): Promise<string | undefined> {
    return this.call('looking for the address of a task', async (docker) => {
      const [found] = await listTasks(docker, { id: [task.id] });
      return found && taskAddress(docker, found, this.client.local);
    });
  }

  private async call<T>(during: string, work: (docker: Docker) => Promise<T>): Promise<T> {
    try {
      const docker = await this.client.calls();
      return await throughElections(() => work(docker));
    } catch (error) {
      throw dockerFailure(error, during);
    }
  }
}

/** None where the service is gone. */
async function listTasks(docker: Docker, filters: Record<string, string[]>): Promise<SwarmTask[]> {
  return unlessGone(() => docker.listTasks({ filters }) as Promise<SwarmTask[]>, []);
}
