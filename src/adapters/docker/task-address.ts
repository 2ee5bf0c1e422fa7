/** Where this process reaches a task: from the host over Docker's gateway bridge, from a container over the overlay. */
import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import type { SwarmTask } from './docker-types.js';
import { LABEL } from './service-spec.js';
import { unlessGone } from './swarm-services.js';

/** Every container on an overlay network is on this bridge of its node too, and the host reaches its addresses. */
const GATEWAY_BRIDGE = 'docker_gwbridge';

/**
 * @param local whether the Engine runs on the machine of this process
 * @returns an IPv4 address, or `undefined` where the task is on another node or in no network of ours
 */
export async function taskAddress(docker: Docker, task: SwarmTask, local: boolean): Promise<string | undefined> {
  const own = await ownContainer(docker);
  if (own === undefined) return local ? gatewayAddress(docker, task) : undefined;
  const attachment = task.NetworksAttachments?.find(({ Network }) => Network.Spec?.Labels?.[LABEL.managed] === 'true');
  if (attachment === undefined) return undefined;
  if (!own.networks.has(attachment.Network.ID)) await join(docker, own.id, attachment.Network.ID);
  return withoutMask(attachment.Addresses?.[0]);
}

/** The machine itself, as containers on overlay networks see it; from within a container it has no address of its own. */
export async function machineAddress(docker: Docker): Promise<string | undefined> {
  if ((await ownContainer(docker)) !== undefined) return undefined;
  const bridge = await unlessGone(() => docker.getNetwork(GATEWAY_BRIDGE).inspect(), undefined);
  return bridge?.IPAM?.Config?.[0]?.['Gateway'];
}

/** The container around this process enters the project's network, from where all its tasks can be reached. */
async function join(docker: Docker, container: string, network: string): Promise<void> {
  try {
    await docker.getNetwork(network).connect({ Container: container });
  } catch (error) {
    // Another probe of this process was faster.
    if (!(error instanceof Error && /already exists in network|already attached/.test(error.message))) throw error;
  }
}

async function gatewayAddress(docker: Docker, task: SwarmTask): Promise<string | undefined> {
  const id = task.Status.ContainerStatus?.ContainerID;
  if (!id) return undefined;
  const bridge = await unlessGone(() => docker.getNetwork(GATEWAY_BRIDGE).inspect(), undefined);
  return withoutMask(bridge?.Containers?.[id]?.IPv4Address);
}

/** The container around this process and its networks; `undefined` where it shares those of the machine. */
async function ownContainer(docker: Docker): Promise<{ id: string; networks: ReadonlySet<string> } | undefined> {
  const id = await ownContainerId();
  if (id === undefined) return undefined;
  const container = await unlessGone(() => docker.getContainer(id).inspect(), undefined);
  if (container === undefined || container.HostConfig.NetworkMode === 'host') return undefined;
  const networks = Object.values(container.NetworkSettings.Networks);
  return { id, networks: new Set(networks.map(({ NetworkID }) => NetworkID)) };
}

/** Docker mounts /etc/hostname from a folder that bears the container's id; the host name itself can be anything. */
async function ownContainerId(): Promise<string | undefined> {
  try {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    return /\/containers\/([0-9a-f]{64})\/hostname \/etc\/hostname /.exec(mounts)?.[1];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function withoutMask(address: string | undefined): string | undefined {
  return address?.split('/')[0];
}
