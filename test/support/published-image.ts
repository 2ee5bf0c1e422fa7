/** Makes an image that only a test's own registry has. */
import { Readable } from 'node:stream';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { file, tar } from './tar.js';

/** Builds the Dockerfile, pushes it as `tag` to a registry that takes pushes of everybody; answers `name@sha256:…`. */
export async function publishImage(dockerfile: string, tag: string): Promise<string> {
  const docker = await new DockerClient().streams();
  const finished = (progress: NodeJS.ReadableStream) =>
    new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())),
    );
  await finished(await docker.buildImage(Readable.from([tar(file('Dockerfile', dockerfile))]), { t: tag }));
  const image = docker.getImage(tag);
  await finished(await image.push({ authconfig: { username: '', password: '', serveraddress: '' } }));
  const { RepoDigests } = await image.inspect();
  await image.remove();
  const [pinned] = RepoDigests;
  if (pinned === undefined) throw new Error(`${tag} has no digest after its push`);
  return pinned;
}

export async function imageId(reference: string): Promise<string> {
  const docker = await new DockerClient().calls();
  return (await docker.getImage(reference).inspect()).Id;
}
