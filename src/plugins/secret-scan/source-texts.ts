/** The texts of a source, one after the other, within bounds; what was left out is counted. */
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path/posix';

/** Not written by the people who deploy, or not text. */
const FOREIGN_FOLDERS: ReadonlySet<string> = new Set([
  '.git',
  '.venv',
  'bower_components',
  'node_modules',
  'site-packages',
  'vendor',
  'venv',
]);

const MAX_FILES = 20_000;
const MAX_TOTAL_BYTES = 200 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024;
/** A text has no NUL in its beginning. */
const BEGINNING_BYTES = 8 * 1024;

export interface SourceText {
  /** Relative to the folder. */
  readonly path: string;
  /** Empty for what is binary or too large: then its name is all there is. */
  readonly text: string;
}

/** Why something was not read, in words for the log, and how often. */
export type LeftOut = Map<string, number>;

/** Ends with an error when the signal aborts. Every file is read from the disk, so nobody else waits for more than one of them. */
export async function* sourceTexts(
  folder: string,
  skip: readonly string[],
  leftOut: LeftOut,
  signal: AbortSignal,
): AsyncGenerator<SourceText> {
  const leaveOut = (reason: string) => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  let files = 0;
  let bytes = 0;
  for await (const path of filePaths(folder, leaveOut)) {
    signal.throwIfAborted();
    if (skip.some((glob) => matchesGlob(path, glob))) leaveOut('skipped by the options');
    else if (files >= MAX_FILES || bytes >= MAX_TOTAL_BYTES) leaveOut('beyond the limit of 20,000 files and 200 MB');
    else {
      const content = await readBounded(join(folder, path));
      files += 1;
      bytes += content?.length ?? 0;
      const isBinary = content?.subarray(0, BEGINNING_BYTES).includes(0);
      if (isBinary !== false) leaveOut(isBinary ? 'binary' : 'larger than 1 MB');
      yield { path, text: isBinary === false ? decoded(content) : '' };
    }
  }
}

/** In the order of their names, depth first. Links are not followed: they might lead anywhere. */
async function* filePaths(folder: string, leaveOut: (reason: string) => void, inside = ''): AsyncGenerator<string> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(inside, entry.name);
    if (entry.isFile()) yield path;
    else if (!entry.isDirectory()) leaveOut('symbolic links and devices');
    else if (FOREIGN_FOLDERS.has(entry.name)) leaveOut('folders of git and of installed packages');
    else yield* filePaths(folder, leaveOut, path);
  }
}

const decoded = (content: Buffer | undefined) => content?.toString('utf8').replace(/^\uFEFF/, '') ?? '';

/** `undefined` for a file that is too large. */
async function readBounded(path: string): Promise<Buffer | undefined> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { size } = await file.stat();
  return size <= MAX_FILE_BYTES ? await file.readFile() : undefined;
}
