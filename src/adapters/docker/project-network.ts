/** The overlay network that all apps of a project share. */
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import { isNameConflict } from './docker-failure.js';
import { LABEL } from './service-spec.js';

/** Makes the network where it is missing; two callers at once get the same one. Answers its id. */
export async function ensureProjectNetwork(docker: Docker, project: string): Promise<string> {
  const name = `flukedeploy-${project}`;
  const existing = (await findNetwork(docker, name)) ?? (await createNetwork(docker, name, project));
  if (existing.Labels?.[LABEL.managed] !== 'true') {
    throw new DeployError('name_taken', `A network named ${name} exists and is not FlukeDeploy's.`);
  }
  return existing.Id;
}

async function createNetwork(docker: Docker, name: string, project: string): Promise<Docker.NetworkInspectInfo> {
  try {
    await docker.createNetwork({
      Name: name,
      Driver: 'overlay',
      Attachable: true,
      CheckDuplicate: true,
      Labels: { [LABEL.managed]: 'true', [LABEL.project]: project },
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
