/** A plugin whose code runs right here: the built-in ones, and every plugin inside the process that is its own. */
import type { Plugin } from '../domain/plugin.js';
import type { PluginDefinition } from './define-plugin.js';
import { checkedDefinition, hookRules } from './definition-check.js';
import { optionSchema } from './option-schema.js';
import { readOptions } from './options.js';
import { runHook } from './run-hook.js';

/** @throws DeployError `plugin_invalid` */
export function inProcessPlugin<Options>(
  definition: PluginDefinition<Options>,
  about: { readonly version: string; readonly origin: Plugin['origin'] },
): Plugin {
  checkedDefinition(definition as PluginDefinition<unknown>);
  const schema = optionSchema(definition.options);
  return {
    ...about,
    name: definition.name,
    about: definition.about ?? '',
    after: definition.after ?? [],
    hooks: hookRules(definition as PluginDefinition<unknown>),
    ...(schema && { option_schema: schema }),
    checkOptions: async (options) => {
      await readOptions(definition.options, options);
    },
    run: (hook, context) => runHook(definition, hook, context),
  };
}
