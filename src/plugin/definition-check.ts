/** What a plugin must be to be taken: checked at the start, as its author's compiler may not have been asked. */
import { DeployError } from '../domain/errors.js';
import { LIMITS } from '../domain/limits.js';
import { HOOKS, ON_FAILURE, PLUGIN_API_VERSION, PLUGIN_NAME, type Hook, type HookRule } from '../domain/plugin.js';
import type { HookDefinition, HookHandler, PluginDefinition } from './define-plugin.js';

const DEFAULT_SECONDS = 60;

/** The one plugin among the exports of a module. @throws DeployError `plugin_invalid` */
export function exportedPlugin(exports: Readonly<Record<string, unknown>>): PluginDefinition<unknown> {
  const plugins = [...new Set(Object.values(exports))].filter(looksLikePlugin);
  const [plugin, ...others] = plugins;
  if (plugin === undefined) throw invalid('it exports no plugin: export default definePlugin({ … })');
  if (others.length > 0) throw invalid(`it exports ${plugins.length} plugins, where one is wanted`);
  return checkedDefinition(plugin);
}

/** @throws DeployError `plugin_invalid` */
export function checkedDefinition(plugin: Partial<PluginDefinition<unknown>>): PluginDefinition<unknown> {
  const { name, apiVersion, about = '', after = [], hooks, options } = plugin;
  if (typeof name !== 'string' || !PLUGIN_NAME.test(name))
    throw invalid('name must be lower-case letters, digits and dashes, at most 50');
  const require = (holds: boolean, sentence: string): void => {
    if (!holds) throw invalid(`${name}: ${sentence}`);
  };
  // From JavaScript it can be anything.
  require((apiVersion as unknown) ===
    PLUGIN_API_VERSION, `apiVersion is ${String(apiVersion)}, this server knows ${PLUGIN_API_VERSION}`);
  require(typeof about === 'string', 'about must be a sentence');
  require(Array.isArray(after) && after.every((other) => typeof other === 'string'), 'after must be a list of names');
  require((options as unknown) !== null &&
    ['undefined', 'object', 'function'].includes(typeof options), 'options must be a schema, a class or a function');
  require(typeof hooks === 'object' && (hooks as unknown) !== null, 'hooks must be an object');
  for (const [hook, definition] of Object.entries(hooks ?? {})) {
    require(HOOKS.some((known) => known === hook), `hooks.${hook} is not known; there are ${HOOKS.join(', ')}`);
    const given = (definition as HookHandler<Hook, unknown> | null) ?? { run: undefined };
    const { run, timeoutSeconds = 1, onFailure = 'fail' } = hookDefinition(given as HookHandler<Hook, unknown>);
    require(typeof run === 'function', `hooks.${hook} must be a function, or an object with a function run`);
    require(Number.isInteger(timeoutSeconds) &&
      timeoutSeconds > 0 &&
      timeoutSeconds <=
        LIMITS.hook_seconds, `hooks.${hook}.timeoutSeconds must be a whole number from 1 to ${LIMITS.hook_seconds}`);
    require(ON_FAILURE.includes(onFailure), `hooks.${hook}.onFailure must be ${ON_FAILURE.join(' or ')}`);
  }
  return plugin as PluginDefinition<unknown>;
}

/** Deadline and meaning of each hook that the plugin has. */
export function hookRules({ hooks }: PluginDefinition<unknown>): Partial<Record<Hook, HookRule>> {
  const rules: Partial<Record<Hook, HookRule>> = {};
  for (const hook of HOOKS) {
    const given = hooks[hook];
    if (given === undefined) continue;
    const { timeoutSeconds = DEFAULT_SECONDS, onFailure = 'fail' } = hookDefinition<Hook>(
      given as HookHandler<Hook, unknown>,
    );
    rules[hook] = { timeout_seconds: timeoutSeconds, on_failure: onFailure };
  }
  return rules;
}

export function hookDefinition<H extends Hook>(
  given: HookHandler<H, unknown> | HookDefinition<H, unknown>,
): HookDefinition<H, unknown> {
  return typeof given === 'function' ? { run: given } : given;
}

function looksLikePlugin(value: unknown): value is Partial<PluginDefinition<unknown>> {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'hooks' in value;
}

function invalid(message: string): DeployError {
  return new DeployError('plugin_invalid', message);
}
