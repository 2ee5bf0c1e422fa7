/** Docker image references, strictly by the grammar of the distribution project; nothing else reaches Docker. */

export interface ImageReference {
  /** Registry and path, such as `registry.example.com:5000/team/app`. */
  readonly name: string;
  readonly tag?: string;
  /** Such as `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

const LONGEST_NAME = 255;

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const port = ':[0-9]{1,5}';
/** A first part is a host when it holds a dot or a port, or is localhost; otherwise it belongs to the path. */
const host = `(?:localhost(?:${port})?|${label}(?:\\.${label})+(?:${port})?|${label}${port}|\\[[0-9a-fA-F:]+\\](?:${port})?)`;
const part = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const REFERENCE = new RegExp(
  `^((?:${host}/)?${part}(?:/${part})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?$`,
);

/** The parts of the reference; `undefined` for everything that Docker would not take as one. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > 2 * LONGEST_NAME + 128) return undefined;
  const [, name, tag, digest] = REFERENCE.exec(text) ?? [];
  // Docker takes 64 hexadecimal digits as the id of an image, never as a name.
  if (name === undefined || name.length > LONGEST_NAME || /^[0-9a-f]{64}$/.test(name)) return undefined;
  return { name, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}
