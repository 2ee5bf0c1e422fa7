/** Puts an image of this node into a test's own registry, under a name that only the registry's copy has afterwards. */
import { DockerClient } from '../../src/adapters/docker/docker-client.js';

export interface PublishedImage {
  readonly tag: string;
  /** `name@sha256:…`, as the registry knows it. */
  readonly pinned: string;
  /** Of the image on this node. */
  readonly id: string;
}

/** The registry must take pushes of everybody. */
export async function publishImage(image: string, tag: string): Promise<PublishedImage> {
  const docker = await new DockerClient().streams();
  const { Id: id } = await docker.getImage(image).inspect();
  const [repository = '', version = ''] = tag.split(/:(?=[^:/]*$)/);
  await docker.getImage(image).tag({ repo: repository, tag: version });
  const progress = await docker.getImage(tag).push({ authconfig: { username: '', password: '' } });
  await new Promise<void>((resolve, reject) =>
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())),
  );
  const { RepoDigests } = await docker.getImage(tag).inspect();
  const pinned = RepoDigests.find((digest) => digest.startsWith(`${repository}@`));
  if (pinned === undefined) throw new Error(`${tag} has no digest after its push`);
  await docker.getImage(tag).remove();
  return { tag, pinned, id };
}
