/** The folder that a build gets, as a tar stream, less what its .dockerignore names. Links are packed as links. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import dockerIgnore from '@balena/dockerignore';
import { create } from 'tar';

const MAX_IGNORE_FILE_BYTES = 1024 * 1024;

/** @param dockerfile path inside the folder; always sent, ignored or not */
export async function packContext(folder: string, dockerfile: string): Promise<Readable> {
  return Readable.from(packed(folder, await contextEntries(folder, dockerfile)), { objectMode: false });
}

/** Begins with the first read, when somebody is there to hear of errors. */
async function* packed(folder: string, entries: readonly string[]): AsyncGenerator<Buffer> {
  let stopped = false;
  const pack = create(
    // `portable` leaves out owners and times of this machine.
    { cwd: folder, portable: true, noDirRecurse: true, follow: false, strict: true, filter: () => !stopped },
    // Without `./`, a name that begins with @ would be read as an archive.
    entries.map((entry) => `./${entry}`),
  );
  // The loop throws the first error; those of entries that were read beside it have nobody to go to.
  pack.on('error', () => undefined);
  try {
    yield* pack;
  } finally {
    // Whoever stops early leaves files open: they are read to their end, and no more are begun.
    stopped = true;
    pack.resume();
  }
}

/** Files, links and folders that are sent, relative to the folder. */
export async function contextEntries(folder: string, dockerfile: string): Promise<string[]> {
  const ignore = dockerIgnore.default({ ignorecase: false }).add(await ignorePatterns(folder, dockerfile));
  ignore.add([`!${dockerfile}`, '!.dockerignore']);
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter(ignore.createFilter());
}

/** Of the Dockerfile's own ignore file, where it has one. */
async function ignorePatterns(folder: string, dockerfile: string): Promise<string[]> {
  for (const name of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    const path = join(folder, name);
    const file = await lstat(path).catch(noneWhereMissing);
    // A link might point anywhere, a device has no end.
    if (file?.isFile() && file.size <= MAX_IGNORE_FILE_BYTES) return (await readFile(path, 'utf8')).split(/\r?\n/);
  }
  return [];
}

function noneWhereMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
