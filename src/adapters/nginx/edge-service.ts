/** Brings the edge into being: its network, its volume with a first configuration, its Swarm service. */
import type Docker from 'dockerode';
import { setTimeout as pause } from 'node:timers/promises';
import { DeployError } from '../../domain/errors.js';
import type { DockerClient } from '../docker/docker-client.js';
import type { EngineImage, EngineInfo } from '../docker/docker-types.js';
import { pullImage } from '../docker/image-transfer.js';
import { ensureNetwork } from '../docker/networks.js';
import { LABEL } from '../docker/service-spec.js';
import { compareAndSet, createService, inspectService, unlessGone, updateService } from '../docker/swarm-services.js';
import { archiveOf } from './edge-archive.js';
import { edgeFailure, type EdgeContainer } from './edge-container.js';
import { CERTIFICATE_FOLDER, EDGE_FOLDER, LIVE_FILE } from './edge-paths.js';
import { EDGE_LABEL, edgeFingerprint, edgeLabels, type EdgePlace, edgeServiceSpec } from './edge-service-spec.js';

const START_TIMEOUT_MS = 60_000;
const PULL_TIMEOUT_MS = 300_000;
const LOOK_EVERY_MS = 100;

export class EdgeService {
  constructor(
    private readonly client: DockerClient,
    private readonly place: EdgePlace,
    private readonly container: EdgeContainer,
    /** What it serves before it has been told anything. */
    private readonly firstConfiguration: string,
  ) {}

  /** @throws DeployError `edge_unavailable`, `name_taken` where something of these names is not FlukeDeploy's */
  async ensure(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      throw edgeFailure(error, 'starting it');
    }
  }

  private async start(): Promise<void> {
    const docker = await this.client.calls();
    const network = await ensureNetwork(docker, this.place.network, edgeLabels(this.place));
    const changed = await compareAndSet(this.place.service, () => this.ensureService(docker, network));
    if (changed === 'unchanged' && (await this.container.servedRevision()) !== undefined) return;
    await this.seed(docker, await this.imageReference(docker));
    await this.running();
  }

  private async ensureService(docker: Docker, network: string): Promise<'changed' | 'unchanged' | undefined> {
    const { service } = this.place;
    const current = await inspectService(docker, service);
    if (current !== undefined && current.Spec?.Labels?.[LABEL.managed] !== 'true') {
      throw new DeployError('name_taken', `A service named ${service} exists and is not FlukeDeploy's.`);
    }
    if (current?.Spec?.Labels?.[EDGE_LABEL.edge] === edgeFingerprint(this.place)) return 'unchanged';

    const image = await this.imageReference(docker);
    await docker.createVolume({ Name: this.place.volume, Labels: edgeLabels(this.place) });
    if (current === undefined) await this.seed(docker, image);
    const spec = edgeServiceSpec(this.place, { image, network, node: await ownNode(docker) });
    const done =
      current === undefined ? await createService(docker, spec, {}) : await updateService(docker, current, spec, {});
    return done ? 'changed' : undefined;
  }

  /** What the image's name stands for here: by its digest where a registry knows it, otherwise by its id. */
  private async imageReference(docker: Docker): Promise<string> {
    const { image } = this.place;
    const find = (): Promise<EngineImage | undefined> =>
      unlessGone(() => docker.getImage(image).inspect() as Promise<EngineImage>, undefined);
    let found = await find();
    if (found === undefined) {
      const signal = AbortSignal.timeout(PULL_TIMEOUT_MS);
      await pullImage(await this.client.streams(), image, { auth: {}, output: () => undefined, signal });
      found = await find();
    }
    const [digest] = found?.RepoDigests ?? [];
    const reference = digest ?? found?.Id;
    if (reference === undefined) throw new DeployError('edge_unavailable', `The image ${image} is not here.`);
    return reference;
  }

  /** nginx does not start without a configuration: an empty volume gets the first one, through a container that never runs. */
  private async seed(docker: Docker, image: string): Promise<void> {
    const container = await docker.createContainer({
      Image: image,
      Labels: edgeLabels(this.place),
      HostConfig: { Mounts: [{ Type: 'volume', Source: this.place.volume, Target: EDGE_FOLDER }] },
    });
    try {
      const path = `${EDGE_FOLDER}/${LIVE_FILE}`;
      const present = await unlessGone(() => container.infoArchive({ path }) as Promise<unknown>, undefined);
      if (present !== undefined) return;
      const files = [{ path: `${CERTIFICATE_FOLDER}/` }, { path: LIVE_FILE, body: this.firstConfiguration }];
      await container.putArchive(archiveOf(files), { path: EDGE_FOLDER });
    } finally {
      await container.remove({ force: true });
    }
  }

  private async running(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await this.container.servedRevision()) === undefined) {
      if (Date.now() > deadline) {
        const complaint = await this.container.complaint();
        throw new DeployError('edge_unavailable', `The edge does not start: ${complaint ?? 'Swarm does not say why'}.`);
      }
      await pause(LOOK_EVERY_MS);
    }
  }
}

async function ownNode(docker: Docker): Promise<string> {
  const { Swarm } = (await docker.info()) as EngineInfo & { readonly Swarm: { readonly NodeID?: string } };
  if (!Swarm.NodeID) throw new DeployError('swarm_inactive');
  return Swarm.NodeID;
}
