/** A plugin whose code runs right here: the built-in ones, and every plugin inside the process that is its own. */
import type { Hook, HookContexts, JsonObject, Plugin } from '../domain/plugin.js';
import type { HookHandler, PluginDefinition } from './define-plugin.js';
import { checkedDefinition, hookDefinition, hookRules } from './definition-check.js';
import { optionSchema, readOptions } from './options.js';

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
    run: async <H extends Hook>(hook: H, context: HookContexts<JsonObject>[H]) => {
      const given = definition.hooks[hook];
      if (given === undefined) return;
      const options = await readOptions(definition.options, context.options);
      const { run } = hookDefinition(given as HookHandler<H, unknown>);
      await run({ ...context, options });
    },
  };
}
