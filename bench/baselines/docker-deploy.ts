/** Baseline of deploy.bench: dockerode alone. Builds the same context, gives Swarm the same spec, waits for the task. */
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { DesiredService } from '../../src/domain/ports.js';
import { until } from '../../test/support/until.ts';
import { serviceSpec } from '../support/built.ts';

export interface RawDeploy {
  readonly desired: Omit<DesiredService, 'image'>;
  readonly network: string;
  readonly context: Uint8Array;
  readonly tag: string;
}

/** Resolves once the new task runs, which with a HEALTHCHECK means: is healthy. */
export async function deployRaw(docker: Docker, { desired, network, context, tag }: RawDeploy): Promise<void> {
  const labels = { 'flukedeploy.app': desired.app_name };
  const build = await docker.buildImage(Readable.from([context]), { t: tag, version: '2', forcerm: true, labels });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(build, (error) => (error ? reject(error) : resolve()));
  });
  const { Id: image } = await docker.getImage(tag).inspect();
  const surroundings = { installation: 'bench', project: network, edge: [], secrets: [] };
  const spec = serviceSpec({ ...desired, image }, surroundings) as Docker.ServiceSpec;
  const service = docker.getService(desired.name);
  const current = (await service.inspect().catch(() => undefined)) as Docker.Service | undefined;
  if (current === undefined) await docker.createService({}, spec);
  else await service.update({ ...spec, version: current.Version?.Index });

  await until(
    async () => {
      const filters = { service: [desired.name], 'desired-state': ['running'] };
      const tasks = (await docker.listTasks({ filters })) as Task[];
      return tasks.some(({ Spec, Status }) => Spec.ContainerSpec.Image === image && Status.State === 'running');
    },
    `${tag} runs`,
    60_000,
  );
}

interface Task {
  readonly Spec: { readonly ContainerSpec: { readonly Image: string } };
  readonly Status: { readonly State: string };
}
