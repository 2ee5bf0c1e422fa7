/** What really is in Docker for one app: looked at past FlukeDeploy, and cleaned away after a test. */
import type Docker from 'dockerode';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { until } from './until.js';

export interface ServiceState {
  readonly image: string | undefined;
  readonly deployment: string | undefined;
  /** Tasks that run. */
  readonly running: number;
}

export class SwarmState {
  readonly #client = new DockerClient();

  /** Everything whose service or image name begins with `prefix` belongs to the test. */
  constructor(private readonly prefix: string) {}

  /** The newest service of the app: what is left of older ones is on its way out. */
  async service(app = this.prefix): Promise<ServiceState | undefined> {
    const docker = await this.#client.calls();
    const newest = (await this.services(app)).at(-1);
    if (newest === undefined) return undefined;
    const template = newest.Spec?.TaskTemplate as Docker.ContainerTaskSpec | undefined;
    const tasks = (await docker.listTasks({
      filters: { service: [newest.Spec?.Name ?? ''], 'desired-state': ['running'] },
    })) as { Status: { State: string } }[];
    return {
      image: template?.ContainerSpec?.Image,
      deployment: newest.Spec?.Labels?.['flukedeploy.deployment'],
      running: tasks.filter(({ Status }) => Status.State === 'running').length,
    };
  }

  /** Services of the app, the oldest first; in another environment than production it is named `app--environment`. */
  async services(place = this.prefix): Promise<Docker.Service[]> {
    const docker = await this.#client.calls();
    const [app = '', environment = 'production'] = place.split('--');
    const services = await docker.listServices({ filters: { label: [`flukedeploy.app=${app}`] } });
    const release = ({ Spec }: Docker.Service): number => Number(Spec?.Labels?.['flukedeploy.release'] ?? 0);
    return services
      .filter(({ Spec }) => Spec?.Labels?.['flukedeploy.environment'] === environment)
      .sort((a, b) => release(a) - release(b));
  }

  /** Body of a GET to one running container of the service, from the host. */
  async get(path: string, app = this.prefix): Promise<string> {
    const docker = await this.#client.calls();
    const name = (await this.services(app)).at(-1)?.Spec?.Name ?? '';
    const [container] = await docker.listContainers({
      filters: { label: [`com.docker.swarm.service.name=${name}`], status: ['running'] },
    });
    const bridge = (await docker.getNetwork('docker_gwbridge').inspect()) as {
      Containers: Record<string, { IPv4Address: string }>;
    };
    const address = container && bridge.Containers[container.Id]?.IPv4Address.split('/')[0];
    if (address === undefined) throw new Error(`no running container of ${name} can be reached`);
    return (await fetch(`http://${address}${path}`)).text();
  }

  /** Images, by tag, that were built for the apps of this test. */
  async images(): Promise<string[]> {
    const docker = await this.#client.calls();
    const images = await docker.listImages();
    return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.includes(`/${this.prefix}`));
  }

  /** Containers of any state that belong to the test's services or builds. */
  async containers(): Promise<string[]> {
    const docker = await this.#client.calls();
    const containers = await docker.listContainers({ all: true });
    return containers
      .filter(({ Labels }) => Labels['com.docker.swarm.service.name']?.startsWith(this.prefix))
      .map(({ Id }) => Id);
  }

  /** Ids of the containers that run for the app. */
  async running(app: string): Promise<string[]> {
    const docker = await this.#client.calls();
    const containers = await docker.listContainers();
    return containers
      .filter(({ Labels }) => Labels['com.docker.swarm.service.name']?.startsWith(`${app}_r`))
      .map(({ Id }) => Id)
      .sort();
  }

  /** Ids of the containers of one-off commands of the deployment that run. */
  async runningJobs(deploymentId: string): Promise<string[]> {
    const docker = await this.#client.calls();
    const containers = await docker.listContainers();
    const ofJobs = ({ Labels }: Docker.ContainerInfo) =>
      Labels['com.docker.swarm.service.name']?.startsWith(deploymentId);
    return containers.filter(ofJobs).map(({ Id }) => Id);
  }

  /** Names of the volumes that begin so. */
  async volumes(prefix = this.prefix): Promise<string[]> {
    const docker = await this.#client.calls();
    const { Volumes } = await docker.listVolumes();
    return Volumes.map(({ Name }) => Name).filter((name) => name.startsWith(prefix));
  }

  async clean(): Promise<void> {
    const docker = await this.#client.calls();
    for (const { ID, Spec } of await docker.listServices()) {
      const isOurs = [Spec?.Name, Spec?.Labels?.['flukedeploy.job']].some((name) => name?.startsWith(this.prefix));
      if (isOurs) await docker.getService(ID).remove();
    }
    for (const { ID, Spec } of await docker.listSecrets()) {
      if (Spec?.Labels?.['flukedeploy.service']?.startsWith(this.prefix)) await docker.getSecret(ID).remove();
    }
    // An image that a container still uses would only lose its name.
    await until(
      async () => (await this.containers()).length === 0,
      `the containers of ${this.prefix} are gone`,
      30_000,
    );
    for (const name of await this.volumes()) await docker.getVolume(name).remove();
    await this.#cleanEdge(docker);
    for (const tag of await this.images()) await docker.getImage(tag).remove({ force: true });
    for (const { Id, Labels } of await docker.listImages()) {
      // Docker answers null for an image without labels, whatever its types say.
      const labels = Labels as Readonly<Record<string, string>> | null;
      if (labels?.['flukedeploy.app']?.startsWith(this.prefix)) await docker.getImage(Id).remove({ force: true });
    }
  }

  /** nginx reads its configuration again; returns when its new processes are there. */
  async reloadEdge(): Promise<void> {
    const docker = await this.#client.calls();
    const [edge] = await docker.listContainers({
      filters: { label: [`com.docker.swarm.service.name=${this.prefix}-edge`], status: ['running'] },
    });
    if (edge === undefined) throw new Error('the edge does not run');
    const workers = async (): Promise<string[]> => {
      const { Processes } = (await docker.getContainer(edge.Id).top()) as { Processes: string[][] };
      const living = Processes.filter((fields) => fields.join(' ').endsWith('nginx: worker process'));
      return living.map((fields) => fields[1] ?? '');
    };
    const before = await workers();
    await docker.getContainer(edge.Id).kill({ signal: 'HUP' });
    await until(async () => {
      const now = await workers();
      return now.length > 0 && now.every((pid) => !before.includes(pid));
    }, 'new processes of the edge serve');
  }

  /** What nobody should do: whatever runs for the app is killed, before anything new is there. */
  async killAllReplicas(app: string): Promise<void> {
    const docker = await this.#client.calls();
    const kills = (await this.running(app)).map((id) => docker.getContainer(id).kill());
    // One may have ended by itself since it was looked at.
    await Promise.allSettled(kills);
  }

  /** Swarm itself takes replicas of the newest version away, or runs them: no program has ended by itself. */
  async scale(app: string, replicas: number): Promise<void> {
    const docker = await this.#client.calls();
    const { ID } = (await this.services(app)).at(-1)!;
    const service = docker.getService(ID);
    const { Spec, Version } = (await service.inspect()) as Docker.Service;
    await service.update({ ...Spec, version: Version?.Index, Mode: { Replicated: { Replicas: replicas } } });
  }

  /** What an edge leaves behind beside its service. */
  async #cleanEdge(docker: Docker): Promise<void> {
    const isOurs = (name: string | undefined): boolean => name?.startsWith(this.prefix) ?? false;
    for (const { ID, Spec } of await docker.listConfigs()) if (isOurs(Spec?.Name)) await docker.getConfig(ID).remove();
    for (const { Name } of (await docker.listVolumes()).Volumes)
      if (isOurs(Name)) await docker.getVolume(Name).remove();
    for (const { Id, Name } of await docker.listNetworks()) {
      // The last task may still be leaving it.
      if (isOurs(Name))
        await until(
          () =>
            docker
              .getNetwork(Id)
              .remove()
              .then(
                () => true,
                () => false,
              ),
          `${Name} is gone`,
          20_000,
        );
    }
  }
}
