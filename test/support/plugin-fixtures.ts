/** Plugins written by tests, and the processes in which they run. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadExternalPlugin } from '../../src/adapters/plugin-host/external-plugin.js';
import type { Hook, HookContexts, JsonObject } from '../../src/domain/plugin.js';

/** Writes the files, and answers the folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return folder;
}

/** A plugin in one file whose one hook has the body; `context` is what it sees. */
export function pluginSource(body: string, hook: Hook = 'post_deploy'): string {
  return `
import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({ name: 'probe', apiVersion: 1, hooks: { ${hook}: async (context) => { ${body} } } });
`;
}

/** Runs the hook of the plugin `probe` with this body in a process of its own: how it ended. */
export async function runOutside<H extends Hook>(
  folder: string,
  body: string,
  hook: H,
  context: HookContexts<JsonObject>[H],
): Promise<unknown> {
  await writeFiles(folder, { 'probe.mjs': pluginSource(body, hook) });
  const plugin = await loadExternalPlugin('probe.mjs', { workingFolder: folder, dataFolder: folder });
  return plugin.run(hook, context).then(
    () => 'passed',
    (error: unknown) => error,
  );
}

/** Ids of the plugin processes that this process has started and that still run. */
export async function pluginProcesses(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ours = await Promise.all(
    ids.map(async (id) => {
      // One that ends between two looks has neither any more.
      const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
      return status.includes(`\nPPid:\t${process.pid}\n`) && command.includes('host.process.js');
    }),
  );
  return ids.filter((_, index) => ours[index]);
}
