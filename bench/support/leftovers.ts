/** Removes from Docker what a benchmark has made: everything whose name begins with its prefix. */
import type Docker from 'dockerode';
import { until } from '../../test/support/until.ts';

export async function removeServices(docker: Docker, prefix: string): Promise<void> {
  for (const { ID, Spec } of await docker.listServices()) {
    if (Spec?.Name?.startsWith(prefix)) await docker.getService(ID).remove();
  }
}

/** Services first, then what their containers still hold. */
export async function removeLeftovers(docker: Docker, prefix: string): Promise<void> {
  await removeServices(docker, prefix);
  const holds = async (): Promise<boolean> =>
    (await docker.listContainers({ all: true })).some(({ Labels }) =>
      (Labels['com.docker.swarm.service.name'] ?? '').startsWith(prefix),
    );
  await until(async () => !(await holds()), `the containers of ${prefix} are gone`, 60_000);
  for (const { Id, Labels } of await docker.listImages({ filters: { label: ['flukedeploy.app'] } })) {
    if (Labels['flukedeploy.app']?.startsWith(prefix)) await docker.getImage(Id).remove({ force: true });
  }
  for (const { Id, Name } of await docker.listNetworks()) {
    if (!Name.startsWith(`flukedeploy-${prefix}`) && !Name.startsWith(prefix)) continue;
    // Swarm lets go of it a moment after the last container.
    const network = docker.getNetwork(Id);
    await until(() => network.remove().then(() => true, isGone), `the network ${Name} is gone`);
  }
  for (const { Name } of (await docker.listVolumes()).Volumes) {
    if (Name.startsWith(prefix)) await docker.getVolume(Name).remove();
  }
}

function isGone(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}
