/** All external plugins of a server, or everything that is wrong with them. */
import { type Plugin } from '../../domain/plugin.js';
import { loadExternalPlugin } from './external-plugin.js';
import type { PluginPlaces } from './plugin-location.js';

/** @throws Error that names every plugin that cannot be loaded, as the environment's mistakes are told */
export async function loadExternalPlugins(labels: readonly string[], places: PluginPlaces): Promise<readonly Plugin[]> {
  const loaded = await Promise.allSettled(labels.map((label) => loadExternalPlugin(label, places)));
  const plugins = loaded.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const mistakes = loaded.flatMap((outcome) => (outcome.status === 'rejected' ? [messageOf(outcome.reason)] : []));
  const names = plugins.map(({ name }) => name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index)))
    mistakes.push(`${name}: two plugins have this name`);
  if (mistakes.length > 0) throw new Error(`FLUKEDEPLOY_PLUGINS has mistakes:\n  ${mistakes.join('\n  ')}`);
  return plugins;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
