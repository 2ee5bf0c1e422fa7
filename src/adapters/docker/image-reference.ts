/** Names of images: repository, tag and digest taken apart. */

export interface ImageReference {
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` of the manifest. */
  readonly digest?: string;
  /** What the Engine is asked for: with a digest the tag says nothing, with neither it is `latest`. */
  readonly name: string;
}

export function parseReference(reference: string): ImageReference {
  if (isImageId(reference)) return { repository: '', name: reference };
  const [path = '', digest] = reference.split('@');
  // A colon before the last slash belongs to the registry's port.
  const colon = path.indexOf(':', path.lastIndexOf('/') + 1);
  const repository = colon < 0 ? path : path.slice(0, colon);
  if (digest !== undefined) return { repository, digest, name: `${repository}@${digest}` };
  const tag = colon < 0 ? 'latest' : path.slice(colon + 1);
  return { repository, tag, name: `${repository}:${tag}` };
}

/** An image's own id, which no registry knows. */
export function isImageId(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference);
}

/** Of an image's `name@sha256:…` entries the one of this repository, else the first. */
export function pinnedReference(repoDigests: readonly string[], repository = ''): string | undefined {
  const short = (name = ''): string => name.replace(/^(index\.)?docker\.io\/(library\/)?/, '');
  return repoDigests.find((entry) => short(entry.split('@')[0]) === short(repository)) ?? repoDigests[0];
}
