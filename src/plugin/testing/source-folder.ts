/** A source for tests: files in a temporary folder that removes itself. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { PluginWorkspace } from '../../domain/plugin.js';

/** Contents of files by their path inside the source, such as `{ 'src/main.js': '…' }`. */
export type SourceFiles = Readonly<Record<string, string | Uint8Array>>;

/** A workspace that is removed at the end of `await using`. */
export interface SourceFolder extends PluginWorkspace, AsyncDisposable {}

/**
 * Writes the files into a temporary folder.
 *
 * @example
 * ```ts
 * await using workspace = await sourceFolder({ Dockerfile: 'FROM scratch' });
 * const context = fakeContext('pre_build', { workspace });
 * ```
 *
 * @param files - what the source holds
 * @param dockerfile - path of the Dockerfile, where it is not at the root
 */
export async function sourceFolder(files: SourceFiles, dockerfile = 'Dockerfile'): Promise<SourceFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'flukedeploy-source-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const [path, content] of Object.entries(files)) await write(folder, path, content);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, dockerfile, [Symbol.asyncDispose]: remove };
}

async function write(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  const file = join(folder, path);
  if (relative(folder, file).startsWith('..')) throw new Error(`${path} is outside of the source`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
