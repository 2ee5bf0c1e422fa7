/** Reading and changing Swarm services: every change names the version that was read, so that nobody's change is lost. */
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import { daemonMessage, isNameConflict, statusOf } from './docker-failure.js';
import type { SwarmServiceSpec } from './docker-types.js';

/** How often a change is tried after somebody else was faster. */
const CHANGE_ATTEMPTS = 5;

/**
 * Runs `attempt` until it answers something; `undefined` means that somebody else was faster.
 * @throws DeployError `service_changed` after five attempts
 */
export async function compareAndSet<T>(name: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tried = 0; tried < CHANGE_ATTEMPTS; tried++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new DeployError('service_changed', `Somebody else kept changing the service ${name} at the same moment.`);
}

export async function inspectService(docker: Docker, name: string): Promise<Docker.Service | undefined> {
  return unlessGone(() => docker.getService(name).inspect() as Promise<Docker.Service>, undefined);
}

/** Answers whether it was us who created it. */
export async function createService(docker: Docker, spec: SwarmServiceSpec, auth: Docker.AuthConfig): Promise<boolean> {
  try {
    // The login is never left out: dockerode would then send the whole spec in its place.
    await docker.createService(auth, spec as Docker.ServiceSpec);
    return true;
  } catch (error) {
    if (isNameConflict(error)) return false;
    throw refusal(error);
  }
}

/** Answers whether the service was still there, and still the one that had been read. */
export async function updateService(
  docker: Docker,
  read: Docker.Service,
  spec: Docker.ServiceSpec | SwarmServiceSpec,
  auth: Docker.AuthConfig,
): Promise<boolean> {
  try {
    await docker.getService(read.ID).update({
      // Told apart, or dockerode would put the spec with its environment into the URL as well.
      _query: { version: read.Version?.Index },
      _body: spec,
      authconfig: auth,
    });
    return true;
  } catch (error) {
    // The Engine answers 500 here, not 409.
    if (statusOf(error) === 404 || daemonMessage(error).includes('update out of sequence')) return false;
    throw refusal(error);
  }
}

/** Runs a call whose object may be gone by now. */
export async function unlessGone<T, U>(call: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await call();
  } catch (error) {
    if (statusOf(error) === 404) return otherwise;
    throw error;
  }
}

/** Why Swarm does not take a spec, where the reason is in what was asked for. */
function refusal(error: unknown): unknown {
  const message = daemonMessage(error);
  if (/port '?\d+'? is already in use/.test(message)) return new DeployError('port_in_use', message, { cause: error });
  if (/mount/i.test(message) && statusOf(error) === 400) {
    return new DeployError('volume_invalid', `A volume cannot be mounted: ${message}`, { cause: error });
  }
  return error;
}
