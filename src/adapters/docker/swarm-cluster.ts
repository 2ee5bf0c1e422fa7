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
import type { EngineInfo, SwarmNode, SwarmServiceSpec, SwarmTask } from './docker-types.js';
import { ensureProjectNetwork } from './project-network.js';
import { registryAuth, type RegistryLocation } from './registry-location.js';
import { LABEL, serviceSpec } from './service-spec.js';
import { compareAndSet, createService, inspectService, unlessGone, updateService } from './swarm-services.js';
import {
  deploymentOf,
  imageOf,
  isManaged,
  nodeView,
  publishedPorts,
  serviceView,
  taskDeployment,
  taskView,
} from './swarm-views.js';
import { taskAddress } from './task-address.js';

type Change = 'created' | 'updated' | 'unchanged';
type Restoration = 'restored' | 'removed' | 'untouched';

export class SwarmCluster extends Cluster {
  /** Host names by node id; a node never changes its name. */
  readonly #hostnames = new Map<string, string>();

  /** @param options.registry login that Swarm hands to the nodes for images of that registry */
  constructor(
    private readonly client: DockerClient,
    private readonly options: { readonly registry?: RegistryLocation | undefined } = {},
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
      return service && serviceView(service);
    });
  }

  override async apply(
    desired: DesiredService,
    signal?: AbortSignal,
  ): Promise<{ readonly service: ServiceView; readonly change: Change }> {
    return this.call(`the service ${desired.name}`, async (docker) => {
      const spec = serviceSpec(desired, await ensureProjectNetwork(docker, desired.project));
      const change = await compareAndSet(desired.name, () => this.change(docker, desired, spec, signal));
      const service = await inspectService(docker, desired.name);
      if (service === undefined) {
        throw new DeployError(
          'service_changed',
          `The service ${desired.name} was removed right after it was ${change}.`,
        );
      }
      return { service: serviceView(service), change };
    });
  }

  private async change(
    docker: Docker,
    desired: DesiredService,
    spec: SwarmServiceSpec,
    signal: AbortSignal | undefined,
  ): Promise<Change | undefined> {
    const auth = registryAuth(this.options.registry, desired.image);
    const current = await inspectService(docker, desired.name);
    // The last look before the change: an undo that came in the meantime must not be undone.
    signal?.throwIfAborted();
    if (current === undefined) return (await createService(docker, spec, auth)) ? 'created' : undefined;

    const live = serviceView(current);
    if (!live.managed) {
      throw new DeployError('name_taken', `A service named ${desired.name} exists and is not FlukeDeploy's.`);
    }
    if (live.deployment_id === desired.deployment_id) return 'unchanged';
    if (live.release !== undefined && live.release > desired.release) {
      throw new DeployError(
        'newer_deployment_live',
        `Release ${live.release} is live already, this would be release ${desired.release}.`,
      );
    }
    const next = {
      ...spec,
      Labels: { ...spec.Labels, [LABEL.replaces]: live.deployment_id ?? 'unknown' },
      // Counted up, so that the same image with the same settings gets new tasks too.
      TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: (current.Spec?.TaskTemplate?.ForceUpdate ?? 0) + 1 },
    };
    return (await updateService(docker, current, next, auth)) ? 'updated' : undefined;
  }

  override async tasks(serviceName: string, deploymentId: string): Promise<TaskView[]> {
    return this.call(`looking for the tasks of ${serviceName}`, async (docker) => {
      const all = await listTasks(docker, { service: [serviceName] });
      const ours = all.filter((task) => taskDeployment(task) === deploymentId);
      await this.learnHostnames(docker, ours);
      return ours.map((task) => taskView(task, (nodeId) => this.#hostnames.get(nodeId) ?? nodeId, Date.now()));
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

  override async restore(serviceName: string, deploymentId: string): Promise<Restoration> {
    return this.call(`taking back the change of ${serviceName}`, (docker) =>
      compareAndSet(serviceName, () => this.takeBack(docker, serviceName, deploymentId)),
    );
  }

  private async takeBack(docker: Docker, serviceName: string, deploymentId: string): Promise<Restoration | undefined> {
    const current = await inspectService(docker, serviceName);
    if (!current || !isManaged(current.Spec) || deploymentOf(current.Spec) !== deploymentId) return 'untouched';

    const before = current.PreviousSpec;
    if (before && isManaged(before) && deploymentOf(before) !== deploymentId) {
      // The spec itself: Swarm's own rollback is a toggle, asked twice it comes back to this deployment.
      const auth = registryAuth(this.options.registry, imageOf(before));
      return (await updateService(docker, current, before, auth)) ? 'restored' : undefined;
    }
    const replaced = current.Spec?.Labels?.[LABEL.replaces];
    if (replaced !== undefined) {
      throw new DeployError(
        'service_changed',
        `${serviceName} was changed by somebody else since, and Swarm no longer knows how it ran before (${replaced}).`,
      );
    }
    await unlessGone(() => docker.getService(current.ID).remove(), undefined);
    return 'removed';
  }

  private async call<T>(during: string, work: (docker: Docker) => Promise<T>): Promise<T> {
    try {
      return await work(await this.client.calls());
    } catch (error) {
      throw dockerFailure(error, during);
    }
  }
}

/** None where the service is gone. */
async function listTasks(docker: Docker, filters: Record<string, string[]>): Promise<SwarmTask[]> {
  return unlessGone(() => docker.listTasks({ filters }) as Promise<SwarmTask[]>, []);
}
