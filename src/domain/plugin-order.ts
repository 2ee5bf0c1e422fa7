/** In which order plugins run, and whether they fit together at all: checked once, at the start. */
import { DeployError } from './errors.js';
import type { Plugin } from './plugin.js';

/**
 * Each after those that it names; otherwise in the order given.
 * @throws DeployError `plugin_invalid` for a name that is taken twice or not there, and for a circle
 */
export function orderPlugins(plugins: readonly Plugin[]): Plugin[] {
  const byName = new Map<string, Plugin>();
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) throw invalid(`two plugins are named ${plugin.name}`);
    byName.set(plugin.name, plugin);
  }
  const ordered = new Set<Plugin>();
  const visit = (plugin: Plugin, path: readonly string[]): void => {
    if (ordered.has(plugin)) return;
    if (path.includes(plugin.name)) throw invalid(`they wait for each other: ${[...path, plugin.name].join(' → ')}`);
    for (const name of plugin.after) {
      const before = byName.get(name);
      if (before === undefined) throw invalid(`${plugin.name} runs after ${name}, which is not there`);
      visit(before, [...path, plugin.name]);
    }
    ordered.add(plugin);
  };
  for (const plugin of plugins) visit(plugin, []);
  return [...ordered];
}

function invalid(message: string): DeployError {
  return new DeployError('plugin_invalid', `The plugins cannot be used together: ${message}.`);
}
