/** The processes of this machine, those in containers and builds included. */
import { readdir, readFile } from 'node:fs/promises';

/** Whether any process but this one has the text in its command line. */
export async function isRunning(text: string): Promise<boolean> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  // One that ends between the two looks has no command line any more.
  const commands = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return commands.some((command) => command.includes(text));
}
