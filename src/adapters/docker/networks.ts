/** The overlay networks: one that all apps of a project share, and the one in which the edge reaches them. */
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import { isNameConflict } from './docker-failure.js';
import { LABEL } from './service-spec.js';

/** The one that all apps of a project share. */
export function ensureProjectNetwork(docker: Docker, project: string): Promise<string> {
  return ensureNetwork(docker, `flukedeploy-${project}`, { [LABEL.project]: project });
}

/** Makes the network where it is missing; two callers at once get the same one. Answers its id. @throws DeployError `name_taken` */
export async function ensureNetwork(
  docker: Docker,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const existing = (await findNetwork(docker, name)) ?? (await createNetwork(docker, name, labels));
  if (existing.Labels?.[LABEL.managed] !== 'true') {
    throw new DeployError('name_taken', `A network named ${name} exists and is not FlukeDeploy's.`);
  }
  return existing.Id;
}

async function createNetwork(
  docker: Docker,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<Docker.NetworkInspectInfo> {
  try {
    await docker.createNetwork({
      Name: name,
      Driver: 'overlay',
      Attachable: true,
      CheckDuplicate: true,
      Labels: { [LABEL.managed]: 'true', ...labels },
    });
  } catch (error) {
    if (!isNameConflict(error)) throw error;
  }
  const made = await findNetwork(docker, name);
  if (made === undefined)
    throw new DeployError('service_changed', `The network ${name} was removed while it was made.`);
  return made;
}

async function findNetwork(docker: Docker, name: string): Promise<Docker.NetworkInspectInfo | undefined> {
  // The filter matches parts of names.
  const networks = await docker.listNetworks({ filters: { name: [name] } });
  return networks.find(({ Name }) => Name === name);
}
