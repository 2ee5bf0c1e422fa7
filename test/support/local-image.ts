/** Images that only the Docker Engine of the tests has, under tags of their own. */
import { Readable } from 'node:stream';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { file, tar } from './tar.js';

/** From a Dockerfile that needs no files. */
export async function buildImage(tag: string, dockerfile: string): Promise<void> {
  const docker = await new DockerClient().streams();
  const progress = await docker.buildImage(Readable.from([tar(file('Dockerfile', dockerfile))]), { t: tag });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      progress,
      (error) => (error ? reject(error) : resolve()),
      (event: { error?: string }) => event.error && reject(new Error(event.error)),
    );
  });
}

export async function removeImage(tag: string): Promise<void> {
  await (await new DockerClient().calls()).getImage(tag).remove({ force: true });
}
