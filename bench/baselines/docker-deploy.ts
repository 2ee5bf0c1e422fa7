/** Baseline of deploy.bench: dockerode alone. Builds the same context, gives Swarm the bare spec, waits for the task. */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { RawService } from './raw-service.ts';

export interface RawDeploy {
  readonly name: string;
  readonly network: string;
  readonly context: Uint8Array;
  readonly tag: string;
}

/** How long Swarm watches a new task before it calls the update completed. */
const MONITOR_MS = 2_000;

/** Resolves once the new task runs, which with a HEALTHCHECK means: is healthy. */
export async function deployRaw(docker: Docker, { name, network, context, tag }: RawDeploy): Promise<void> {
  const labels = { 'flukedeploy.app': name };
  const build = await docker.buildImage(Readable.from([context]), { t: tag, version: '2', forcerm: true, labels });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(build, (error) => (error ? reject(error) : resolve()));
  });
  const { Id: image } = await docker.getImage(tag).inspect();
  const service = new RawService(docker, name);
  await service.apply({ name, image, replicas: 1, network, monitor_ms: MONITOR_MS });
  await service.runs(image);
}
