/** `definePlugin`: the one function with which plugins are written, and the forms in which they may describe their options. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Hook, HookContexts, JsonObject, OnFailure, PLUGIN_API_VERSION } from '../domain/plugin.js';

/**
 * How a plugin checks its options: a Standard Schema (zod's, for one), a class with class-validator's decorators, or any function
 * that answers the options or throws. Only the first two can tell a JSON Schema.
 */
export type OptionsForm<Options> =
  StandardSchemaV1<unknown, Options> | (new () => Options & object) | ((input: JsonObject) => Options);

export type HookHandler<H extends Hook, Options> = (context: HookContexts<Options>[H]) => void | Promise<void>;

export interface HookDefinition<H extends Hook, Options> {
  readonly run: HookHandler<H, Options>;
  /** Seconds until the hook is stopped, 60 when left out, at most 3,600. The phase's and the deployment's deadlines count besides. */
  readonly timeoutSeconds?: number;
  /** What its failure means; `fail` when left out. */
  readonly onFailure?: OnFailure;
}

export type HookDefinitions<Options> = { readonly [H in Hook]?: HookHandler<H, Options> | HookDefinition<H, Options> };

export interface PluginDefinition<Options = JsonObject> {
  /** Lower-case letters, digits and dashes, at most 50; unique on a server. */
  readonly name: string;
  readonly apiVersion: typeof PLUGIN_API_VERSION;
  /** One sentence for people who choose. */
  readonly about?: string;
  /** Names of plugins whose hooks run before its own. */
  readonly after?: readonly string[];
  /** Left out: it takes none. */
  readonly options?: OptionsForm<Options>;
  readonly hooks: HookDefinitions<Options>;
}

/** Answers the definition as it is: its work is that of the compiler, which knows the options in every hook from here on. */
export function definePlugin<Options = JsonObject>(definition: PluginDefinition<Options>): PluginDefinition<Options> {
  return definition;
}
