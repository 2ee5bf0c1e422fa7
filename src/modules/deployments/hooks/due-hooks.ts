/** Which plugins run at a hook of a deployment, with which options, and what of theirs stops it. Pure. */
import { isOfServer, pluginUses, type AppConfig, type DeploySpec } from '../../../domain/app-spec.js';
import type { DeploymentIdentity } from '../../../domain/facts.js';
import type { Hook, HookRule, JsonObject, PluginUse } from '../../../domain/hooks.js';
import type { Plugin } from '../../../domain/plugin.js';
import { isRelease } from '../../../domain/releases.js';
import { gateMode, type GateMode } from '../../../domain/validation-gates.js';

/** The one check of what is no new release: replicas that are added need room as well. */
const ALWAYS = 'cluster-check';

export interface DueHook {
  readonly plugin: Plugin;
  readonly options: JsonObject;
  readonly rule: HookRule;
  readonly mode: GateMode;
  /** Whether the server has switched it on: then its secrets are the server's. */
  readonly of_server: boolean;
}

/** In the order of the plugins. `missing`: switched on, and not there; what is no new release would not run them anyway. */
export function dueHooks(
  plugins: readonly Plugin[],
  hook: Hook,
  identity: Pick<DeploymentIdentity, 'kind'>,
  spec: Pick<DeploySpec, 'plugins' | 'server_plugins' | 'validation_level'>,
  config: Pick<AppConfig, 'plugins'>,
): { readonly due: readonly DueHook[]; readonly missing: readonly string[] } {
  const uses = new Map<string, PluginUse>(pluginUses(spec, config).map((use) => [use.name, use]));
  const due = plugins.flatMap((plugin): DueHook[] => {
    const rule = plugin.hooks[hook];
    const use = uses.get(plugin.name);
    const mode = gateMode(plugin.name, spec.validation_level, use !== undefined);
    if (rule === undefined || mode === 'off') return [];
    if (!isRelease(identity) && plugin.name !== ALWAYS) return [];
    const of_server = use !== undefined && isOfServer(spec, use);
    const on_failure = use?.on_failure ?? rule.on_failure;
    return [{ plugin, options: use?.options ?? {}, rule: { ...rule, on_failure }, mode, of_server }];
  });
  const missing = isRelease(identity)
    ? [...uses.keys()].filter((name) => !plugins.some((plugin) => plugin.name === name))
    : [];
  return { due, missing };
}

/** Names of what was switched on for this deployment and only looks at sources, where there is none. */
export function withoutSource(
  plugins: readonly Plugin[],
  { source, plugins: uses = [] }: Pick<DeploySpec, 'plugins' | 'source'>,
): string[] {
  if (source.kind !== 'image') return [];
  const looksAtSourcesOnly = ({ hooks }: Plugin): boolean => Object.keys(hooks).join() === 'pre_build';
  return uses
    .map(({ name }) => name)
    .filter((name) => plugins.some((plugin) => plugin.name === name && looksAtSourcesOnly(plugin)));
}
