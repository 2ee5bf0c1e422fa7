/** Images through the Docker Engine: built, fetched and pinned, pushed, removed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import { Images, type BuildOrder, type ImageDetails, type ImageView, type OutputLine } from '../../domain/ports.js';
import type { DockerClient } from './docker-client.js';
import { dockerFailure } from './docker-failure.js';
import type { EngineImage, EngineImageLayer } from './docker-types.js';
import { buildImage } from './image-build.js';
import { isImageId, parseReference } from './image-reference.js';
import { pullImage, pushImage } from './image-transfer.js';
import { imageDetails, imageView } from './image-views.js';
import { NO_REGISTRIES, pushTarget, registryAuth, repositoryIn, type Registries } from './registry-location.js';
import { LABEL } from './service-spec.js';
import { unlessGone } from './swarm-services.js';

/** Swarm kills what has not stopped after 10 s. */
const CONTAINER_STOP_MS = 12_000;
const LOOK_EVERY_MS = 250;

/** Failures of a pull after which a copy on this node will do. */
const COPY_WILL_DO: readonly ErrorCode[] = ['registry_unreachable', 'image_not_found'];

interface DockerImagesOptions {
  /** Left out = no logins, and built images stay on this node. */
  readonly registries?: Registries | undefined;
  /** Left out = where the Engine has it. */
  readonly buildkit?: boolean | undefined;
}

export class DockerImages extends Images {
  private readonly registries: Registries;

  constructor(
    private readonly client: DockerClient,
    private readonly options: DockerImagesOptions = {},
  ) {
    super();
    this.registries = options.registries ?? NO_REGISTRIES;
  }

  override async build(order: BuildOrder, output: OutputLine, signal: AbortSignal): Promise<ImageView> {
    return this.call(
      `building ${order.tag}`,
      async (docker) => {
        const ours = { ...order, labels: { ...order.labels, [LABEL.managed]: 'true' } };
        const registries = await this.registries();
        const id = await buildImage(docker, ours, { output, signal, registries, buildkit: this.options.buildkit });
        return viewOf(docker, id);
      },
      signal,
    );
  }

  override async resolve(reference: string, output: OutputLine, signal: AbortSignal): Promise<ImageView> {
    return this.call(
      `fetching ${reference}`,
      async (docker) => {
        const { repository, digest, name } = parseReference(reference);
        const local = await findImage(docker, name);
        if (isImageId(reference)) {
          if (local) return imageView(local);
          throw new DeployError('image_not_found', `The image ${reference} is not on this node any more.`);
        }
        if (local && digest !== undefined) return imageView(local, repository);
        if (local && !local.RepoDigests?.length) {
          output(`${name} is used from this node: no registry knows it.`);
          return imageView(local);
        }
        try {
          const auth = registryAuth(await this.registries(), name);
          await pullImage(docker, name, { auth, output, signal });
        } catch (error) {
          if (!local || !(error instanceof DeployError) || !COPY_WILL_DO.includes(error.code)) throw error;
          output(`Warning: ${error.message}`);
          output(`Warning: the copy of ${name} on this node is used, which may be old.`);
        }
        return viewOf(docker, name, repository);
      },
      signal,
    );
  }

  override async push(
    image: ImageView,
    name: string,
    tag: string,
    output: OutputLine,
    signal: AbortSignal,
  ): Promise<ImageView | undefined> {
    const registry = pushTarget(await this.registries());
    if (registry === undefined) return undefined;
    const repository = repositoryIn(registry, name);
    return this.call(
      `pushing ${repository}:${tag}`,
      async (docker) => {
        await docker.getImage(image.id).tag({ repo: repository, tag });
        const auth = registryAuth([registry], repository);
        const digest = await pushImage(docker, repository, tag, { auth, output, signal });
        return viewOf(docker, `${repository}@${digest}`, repository);
      },
      signal,
    );
  }

  override async inspect(reference: string): Promise<ImageView | undefined> {
    return this.call(`looking at ${reference}`, async (docker) => {
      const { repository, name } = parseReference(reference);
      const image = await findImage(docker, name);
      return image && imageView(image, repository);
    });
  }

  override async describe(reference: string): Promise<ImageDetails | undefined> {
    return this.call(`looking into ${reference}`, async (docker) => {
      const { name } = parseReference(reference);
      const image = await findImage(docker, name);
      // By its id: the name may have moved on meanwhile.
      const layers = image && (await unlessGone(() => history(docker, image.Id), undefined));
      return layers && imageDetails(image, layers);
    });
  }

  override async built(): Promise<{ tag: string; deployment_id: string; references: readonly string[] }[]> {
    return this.call('looking for our images', async (docker) => {
      const images = await docker.listImages({ filters: { label: [`${LABEL.managed}=true`] } });
      return images.flatMap(({ Id, RepoTags, RepoDigests, Labels }) => {
        const deployment_id = (Labels as Record<string, string> | null)?.[LABEL.deployment];
        if (deployment_id === undefined) return [];
        const references = [Id, ...(RepoDigests ?? [])];
        return (RepoTags ?? []).map((tag) => ({ tag, deployment_id, references }));
      });
    });
  }

  override async remove(tag: string): Promise<void> {
    await this.call(`removing ${tag}`, async (docker) => {
      const image = await findImage(docker, tag);
      if (image?.Config?.Labels?.[LABEL.managed] !== 'true' || !(await isLeft(docker, image.Id))) return;
      // By force: the ended containers that Swarm keeps to show them would hold the image for ever.
      await unlessGone(() => docker.getImage(tag).remove({ force: true }), undefined);
    });
  }

  /** However the work ends after an abort, it ends with the signal's reason. */
  private async call<T>(during: string, work: (docker: Docker) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await work(await this.client.streams());
    } catch (error) {
      signal?.throwIfAborted();
      throw dockerFailure(error, during);
    }
  }
}

/** Whether no container runs the image any more; those that are being stopped are waited for. */
async function isLeft(docker: Docker, id: string): Promise<boolean> {
  const filters = { ancestor: [id], status: ['running', 'paused', 'restarting'] };
  const until = performance.now() + CONTAINER_STOP_MS;
  while (performance.now() < until) {
    if ((await docker.listContainers({ filters })).length === 0) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}

async function findImage(docker: Docker, name: string): Promise<EngineImage | undefined> {
  return unlessGone(() => docker.getImage(name).inspect() as Promise<EngineImage>, undefined);
}

async function history(docker: Docker, id: string): Promise<EngineImageLayer[]> {
  return (await docker.getImage(id).history()) as EngineImageLayer[];
}

/** @param repository whose digest is wanted, where the image has several names */
async function viewOf(docker: Docker, name: string, repository?: string): Promise<ImageView> {
  const image = await findImage(docker, name);
  if (image === undefined) throw new DeployError('image_not_found', `${name} was removed from this node meanwhile.`);
  return imageView(image, repository);
}
