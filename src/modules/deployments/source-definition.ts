/** Finds, in the files of a source, what says how its image comes to be: a captain-definition, else a Dockerfile. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCaptainDefinition } from '../../domain/captain-definition.js';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';

/** A folder to build in, with the path of its Dockerfile inside it; or an image that needs no build. */
export type Workspace = { readonly folder: string; readonly dockerfile: string } | { readonly image: string };

const DEFINITION = 'captain-definition';
const DOCKERFILE = 'Dockerfile';
/** Where the lines of a captain-definition go: a source's own Dockerfile keeps its place. */
const WRITTEN_DOCKERFILE = 'Dockerfile.flukedeploy';
/** What packers leave beside the one folder that was packed. */
const LEFT_BY_PACKERS = /^(__MACOSX|\.DS_Store|\._.*|pax_global_header)$/;

/** @throws DeployError `definition_missing`, `definition_invalid`, `template_unsupported` */
export async function findDefinition(source: string): Promise<Workspace> {
  const folder = await contextFolder(source);
  const names = await readdir(folder);
  if (names.includes(DEFINITION)) return fromCaptainDefinition(folder);
  if (!names.includes(DOCKERFILE)) {
    const evidence = names.toSorted().slice(0, LIMITS.evidence_lines);
    throw new DeployError('definition_missing', undefined, { evidence });
  }
  await requireSmallFile(folder, DOCKERFILE);
  return { folder, dockerfile: DOCKERFILE };
}

/** Puts the text beside the sources, in the place of whatever has its name. */
export async function writeDockerfile(folder: string, text: string, name = WRITTEN_DOCKERFILE): Promise<Workspace> {
  await rm(join(folder, name), { recursive: true, force: true });
  await writeFile(join(folder, name), text, { flag: 'wx' });
  return { folder, dockerfile: name };
}

/** The source itself, or the single folder in it: many pack the folder instead of what is in it. */
async function contextFolder(source: string): Promise<string> {
  const entries = (await readdir(source, { withFileTypes: true })).filter(({ name }) => !LEFT_BY_PACKERS.test(name));
  const [only] = entries;
  return only?.isDirectory() && entries.length === 1 ? join(source, only.name) : source;
}

async function fromCaptainDefinition(folder: string): Promise<Workspace> {
  await requireSmallFile(folder, DEFINITION);
  const definition = parseCaptainDefinition(await readFile(join(folder, DEFINITION), 'utf8'));
  switch (definition.kind) {
    case 'image':
      return { image: definition.image };
    case 'dockerfile_path':
      await requireSmallFile(folder, definition.path);
      return { folder, dockerfile: definition.path };
    case 'dockerfile_lines':
      return writeDockerfile(folder, definition.dockerfile);
  }
}

/** These files are read whole, so they must be files, and small ones. */
async function requireSmallFile(folder: string, path: string): Promise<void> {
  const found = await stat(join(folder, path)).catch((error: unknown) => {
    // A link may lead nowhere or in a circle, and a name may be below a file: all the same to the reader.
    throw new DeployError('definition_missing', `The source has no file ${path}.`, { cause: error });
  });
  if (!found.isFile()) throw new DeployError('definition_missing', `${path} of the source is not a file.`);
  if (found.size > LIMITS.json_body_bytes) throw new DeployError('definition_invalid', `${path} is larger than 1 MB.`);
}
