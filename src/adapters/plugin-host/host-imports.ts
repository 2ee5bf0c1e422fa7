/** What imports mean in a plugin's process: `flukedeploy/…` is this server's, everything else belongs to the plugin. */
import { registerHooks } from 'node:module';
import type { PluginEntry } from './protocol.js';

const OURS: Readonly<Record<string, URL>> = {
  'flukedeploy/plugin': new URL('../../plugin/index.js', import.meta.url),
  'flukedeploy/plugin/testing': new URL('../../plugin/testing.js', import.meta.url),
};
/** Stands for the plugin, which is looked up from elsewhere than from here. */
const PLUGIN = 'flukedeploy:the-plugin';

export async function importPlugin({ specifier, from }: PluginEntry): Promise<Readonly<Record<string, unknown>>> {
  registerHooks({
    resolve: (wanted, context, next) => {
      if (wanted === PLUGIN) return next(specifier, { ...context, parentURL: from });
      const ours = Object.hasOwn(OURS, wanted) ? OURS[wanted] : undefined;
      return ours === undefined ? next(wanted, context) : { url: ours.href, shortCircuit: true };
    },
  });
  return (await import(PLUGIN)) as Readonly<Record<string, unknown>>;
}
