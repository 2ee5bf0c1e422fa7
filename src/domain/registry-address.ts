/** Where a registry is: the host that stands in front of its images, and the path in front of their names. */

export interface RegistryAddress {
  /** Host with port, as it stands in front of image names. */
  readonly host: string;
  /** Path in front of every image's name; may be empty. */
  readonly prefix: string;
}

/** What people call Docker Hub, and what stands in front of its images. */
const DOCKER_HUB = 'docker.io';
const HUB_NAMES = [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io', 'hub.docker.com'];
const PREFIX = /^([a-z0-9]+([._/-]+[a-z0-9]+)*)?$/;

/** `undefined` for everything that is no address of a registry; a login in the URL says nothing. */
export function registryAddress(text: string): RegistryAddress | undefined {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || !url.host) return undefined;
  if (url.search !== '' || url.hash !== '') return undefined;
  if (HUB_NAMES.includes(url.host)) return { host: DOCKER_HUB, prefix: hubPrefix(url.pathname) };
  const prefix = trimmed(url.pathname);
  return PREFIX.test(prefix) ? { host: url.host, prefix } : undefined;
}

/** The registry that an image comes from: Docker Hub where its name begins with no host. */
export function registryHost(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0 || !(/[.:]/.test(first) || first === 'localhost')) return DOCKER_HUB;
  return HUB_NAMES.includes(first) ? DOCKER_HUB : first;
}

/** What a registry's sealed password is bound to. */
export function registryContext(name: string): string {
  return `registry/${name}/password`;
}

/** Docker's own tools write `https://index.docker.io/v1/`. */
function hubPrefix(path: string): string {
  const prefix = trimmed(path);
  return /^v[12]$/.test(prefix) || !PREFIX.test(prefix) ? '' : prefix;
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
