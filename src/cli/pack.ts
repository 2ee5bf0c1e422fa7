/** Packs a folder as tar.gz while it is uploaded. */
import { createReadStream } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { create } from 'tar';
import { UsageError } from './failures.js';
import { IGNORE_FILE, ignoreRules } from './ignore-rules.js';

/** Of a file, as it is read. */
const PIECE_BYTES = 256 * 1024;

/** The same folder packs to the same bytes, so that a repeated upload is the same request. */
export async function* packed(folder: string): AsyncGenerator<Uint8Array> {
  const isIgnored = ignoreRules(await readIgnoreFile(folder));
  const archive = create(
    {
      cwd: resolve(folder),
      portable: true,
      linkCache: new NoLinks(),
      maxReadSize: PIECE_BYTES,
      filter: (path, entry) => {
        const relative = path.replace(/^\.\//, '').replace(/\/$/, '');
        if (relative === '' || relative === '.') return true;
        const isPlain = !('isFile' in entry) || entry.isFile() || entry.isDirectory() || entry.isSymbolicLink();
        return isPlain && !isIgnored(relative);
      },
    },
    ['.'],
  );
  // Errors surface where the last of the streams is read.
  const zipped = pipeline(Readable.from(archive), createGzip(), () => undefined);
  try {
    for await (const chunk of zipped) yield chunk as Uint8Array;
  } catch (error) {
    throw new UsageError(`${folder} cannot be packed: ${(error as Error).message}`);
  }
}

/** An archive that is there already, tar or tar.gz. */
export async function* archiveFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Finds out before the upload what would only be found after it. @throws UsageError */
export async function requireSource(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw new UsageError(`There is no folder ${folder}`);
  if (!found.isDirectory()) throw new UsageError(`${folder} is not a folder; for an archive use --tar ${folder}`);
  const definitions = ['Dockerfile', 'captain-definition'].map((name) => access(join(folder, name)));
  if ((await Promise.allSettled(definitions)).every(({ status }) => status === 'rejected'))
    throw new UsageError(`${resolve(folder)} has neither a Dockerfile nor a captain-definition`);
}

async function readIgnoreFile(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, IGNORE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new UsageError(`${IGNORE_FILE} cannot be read: ${(error as Error).message}`);
  }
}

/** The server takes no hard links, so each name of a file is packed as a file of its own. */
class NoLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}
