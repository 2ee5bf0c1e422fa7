/** The folder that is sent to the build: which files it holds, and the text of those that a check asks for. */
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import dockerIgnore from '@balena/dockerignore';

/** Room for the lockfile of a large project. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Reads a file of the source; `undefined` where there is none. */
export type ReadText = (path: string) => Promise<string | undefined>;

export interface SourceFile {
  /** Relative to the folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
}

export class SourceFolder {
  constructor(private readonly path: string) {}

  /** `undefined` where there is no such file inside the folder, or one that no person has written. */
  async text(path: string): Promise<string | undefined> {
    const file = await realpath(join(this.path, path)).catch(noneWhereMissing);
    if (file === undefined || !file.startsWith((await realpath(this.path)) + sep)) return undefined;
    const found = await stat(file);
    return found.isFile() && found.size <= MAX_TEXT_BYTES ? await readFile(file, 'utf8') : undefined;
  }

  /** What the build gets: all files but those that .dockerignore names. Links are not followed. */
  async filesSent(dockerfile: string, signal: AbortSignal): Promise<SourceFile[]> {
    const patterns = (await this.text(`${dockerfile}.dockerignore`)) ?? (await this.text('.dockerignore')) ?? '';
    const isSent = dockerIgnore.default({ ignorecase: false }).add(patterns).createFilter();
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
    const files: SourceFile[] = [];
    for (const entry of entries.filter((each) => each.isFile())) {
      signal.throwIfAborted();
      const file = join(entry.parentPath, entry.name);
      const path = relative(this.path, file);
      if (isSent(path)) files.push({ path, bytes: (await lstat(file)).size });
    }
    return files;
  }
}

function noneWhereMissing(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code ?? '')) throw error;
}
