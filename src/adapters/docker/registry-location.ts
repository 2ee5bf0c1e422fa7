/** The registries that FlukeDeploy knows: whose login an image gets, and where built images are pushed to. */
import type Docker from 'dockerode';
import { registryAddress, registryHost, type RegistryAddress } from '../../domain/registry-address.js';

export interface RegistryLocation extends RegistryAddress {
  readonly username?: string;
  readonly password?: string;
  /** Built images are pushed to the first one that says so. */
  readonly default_push?: boolean;
}

/** Asked anew for each image: logins come and go while the server runs. */
export type Registries = () => Promise<readonly RegistryLocation[]>;

export const NO_REGISTRIES: Registries = async () => [];

/** Docker Hub has this name in logins, whatever stands in front of its images. */
const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * @param url such as `https://user:password@registry.example:5000/team`
 * @throws Error when it is no such URL; the message never holds the password
 */
export function parseRegistryUrl(url: string): RegistryLocation {
  const address = registryAddress(url);
  const parsed = URL.parse(url);
  if (address === undefined || parsed === null) {
    throw new Error('REGISTRY_URL must look like https://user:password@host:5000/prefix, with a lower-case prefix');
  }
  return {
    ...address,
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
  };
}

/** Name of an image in the registry, without tag. */
export function repositoryIn({ host, prefix }: RegistryAddress, name: string): string {
  return [host, prefix, name].filter(Boolean).join('/');
}

export function pushTarget(registries: readonly RegistryLocation[]): RegistryLocation | undefined {
  return registries.find(({ default_push }) => default_push);
}

/** The login for this image; empty where it comes from another registry, which must never see ours. */
export function registryAuth(registries: readonly RegistryLocation[], image = ''): Docker.AuthConfigObject {
  const host = registryHost(image);
  const login = registries
    .filter((registry) => registry.host === host && registry.username)
    .toSorted((one, other) => closeness(other, image) - closeness(one, image))[0];
  return login ? authOf(login) : {};
}

/** Every host's login, for a build that may fetch base images from any of them. */
export function registryLogins(registries: readonly RegistryLocation[]): Record<string, Docker.AuthConfigObject> {
  const logins = registries.filter(({ username }) => username).map((registry) => authOf(registry));
  // The first one of a host counts.
  return Object.fromEntries(logins.toReversed().map((login) => [login['serveraddress'] as string, login]));
}

/** Of several logins for one host, the one whose path the image's name begins with knows best. */
function closeness({ host, prefix }: RegistryAddress, image: string): number {
  return image.startsWith(`${[host, prefix].filter(Boolean).join('/')}/`) ? prefix.length : -1;
}

function authOf({ host, username = '', password = '' }: RegistryLocation): Docker.AuthConfigObject {
  return { username, password, serveraddress: host === registryHost('') ? HUB_SERVER : host };
}
