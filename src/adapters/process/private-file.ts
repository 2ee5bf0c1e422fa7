/** Small files that only their owner may read, made whole or not at all. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes the file (mode 0600) with this text, unless there is one already. Whoever comes second, even at the same moment,
 * finds the whole text of the first: it is written under another name, and a link is made in one step.
 *
 * @returns whether this call made it
 */
export async function createPrivateFile(file: string, text: string): Promise<boolean> {
  const directory = dirname(file);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeDurably(draft, text);
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await synchronise(directory);
  return true;
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}

/** A new name survives a power cut only when its directory was written too. */
async function synchronise(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
