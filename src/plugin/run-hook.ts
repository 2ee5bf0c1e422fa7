/** Calls a hook of a plugin with its options as the plugin reads them. */
import type { Hook, HookContexts, JsonObject } from '../domain/plugin.js';
import type { HookHandler, PluginDefinition } from './define-plugin.js';
import { hookDefinition } from './definition-check.js';
import { readOptions } from './options.js';

/** @throws DeployError `plugin_options_invalid`, and whatever the hook throws */
export async function runHook<H extends Hook, Options>(
  definition: PluginDefinition<Options>,
  hook: H,
  context: HookContexts<JsonObject>[H],
): Promise<void> {
  const given = definition.hooks[hook];
  if (given === undefined) return;
  const options = await readOptions(definition.options, context.options);
  const { run } = hookDefinition(given as HookHandler<H, unknown>);
  await run({ ...context, options });
}
