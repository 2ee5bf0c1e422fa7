/** What the Engine knows of an image, in our words. Pure: tested by equality. */
import type { ImageDetails, ImageView } from '../../domain/ports.js';
import type { EngineImage, EngineImageLayer } from './docker-types.js';
import { pinnedReference } from './image-reference.js';

/** @param repository whose digest is wanted, where the image has several names */
export function imageView(image: EngineImage, repository?: string): ImageView {
  const pinned = pinnedReference(image.RepoDigests ?? [], repository);
  return {
    id: image.Id,
    reference: pinned ?? image.Id,
    digest: pinned?.split('@')[1] ?? image.Id,
    architecture: image.Architecture,
    os: image.Os,
    has_healthcheck: healthcheck(image) !== undefined,
    size_bytes: image.Size,
  };
}

export function imageDetails(image: EngineImage, newestFirst: readonly EngineImageLayer[]): ImageDetails {
  const config = image.Config ?? {};
  const check = healthcheck(image);
  return {
    id: image.Id,
    repo_tags: image.RepoTags ?? [],
    user: config.User ?? '',
    env: Object.fromEntries((config.Env ?? []).map(variable)),
    exposed_ports: Object.keys(config.ExposedPorts ?? {}).map(exposedPort),
    volumes: Object.keys(config.Volumes ?? {}),
    entrypoint: config.Entrypoint ?? [],
    command: config.Cmd ?? [],
    ...(check && { healthcheck: check }),
    labels: config.Labels ?? {},
    size_bytes: image.Size,
    ...(image.Created && { created_at: image.Created }),
    history: newestFirst.map(({ CreatedBy, Size }) => ({ created_by: CreatedBy, size_bytes: Size })).reverse(),
  };
}

/** `HEALTHCHECK NONE` switches off what the base image has; an empty test means the same as none at all. */
function healthcheck({ Config }: EngineImage): readonly string[] | undefined {
  const test = Config?.Healthcheck?.Test ?? [];
  return test.length > 0 && test[0] !== 'NONE' ? test : undefined;
}

function variable(text: string): [name: string, value: string] {
  const [name = '', ...value] = text.split('=');
  return [name, value.join('=')];
}

function exposedPort(text: string): { port: number; protocol: string } {
  const [port, protocol = 'tcp'] = text.split('/');
  return { port: Number(port), protocol };
}
