/** Where built images are pushed to, and the login for it. */
import type Docker from 'dockerode';

export interface RegistryLocation {
  /** Host with port, as it stands in front of image names. */
  readonly host: string;
  /** Path in front of every image's name; may be empty. */
  readonly prefix: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * @param url such as `https://user:password@registry.example:5000/team`
 * @throws Error when it is no such URL; the message never holds the password
 */
export function parseRegistryUrl(url: string): RegistryLocation {
  const parsed = URL.parse(url);
  const prefix = parsed?.pathname.replace(/^\/+|\/+$/g, '') ?? '';
  if (
    !parsed ||
    !['http:', 'https:'].includes(parsed.protocol) ||
    !parsed.host ||
    !/^([a-z0-9]+([._/-]+[a-z0-9]+)*)?$/.test(prefix)
  ) {
    throw new Error('REGISTRY_URL must look like https://user:password@host:5000/prefix, with a lower-case prefix');
  }
  return {
    host: parsed.host,
    prefix,
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
  };
}

/** Name of an image in the registry, without tag. */
export function repositoryIn({ host, prefix }: RegistryLocation, name: string): string {
  return [host, prefix, name].filter(Boolean).join('/');
}

/** The login for this image; empty where it comes from another registry, which must never see ours. */
export function registryAuth(registry: RegistryLocation | undefined, image = ''): Docker.AuthConfigObject {
  if (!registry?.username || !image.startsWith(`${registry.host}/`)) return {};
  return { username: registry.username, password: registry.password ?? '', serveraddress: registry.host };
}
