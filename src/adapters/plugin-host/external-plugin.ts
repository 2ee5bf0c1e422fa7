/** A plugin of somebody else: nothing of its code, its import included, ever runs in our process. */
import { DeployError } from '../../domain/errors.js';
import type { Hook, HookContexts, JsonObject, Plugin } from '../../domain/plugin.js';
import { HOST_LIMITS } from './host-limits.js';
import { contextData, HookService } from './hook-service.js';
import { locatePlugin, type PluginLocation, type PluginPlaces } from './plugin-location.js';
import { hookFailure, ToldFailure, work } from './plugin-work.js';
import type { Answer, HostFailure } from './protocol.js';

type Description = Extract<Answer, { type: 'described' }>['plugin'];

/** @throws DeployError `plugin_invalid`, which names the plugin as it was configured, and what is wrong with it */
export async function loadExternalPlugin(label: string, places: PluginPlaces): Promise<Plugin> {
  const location = await locatePlugin(label, places);
  const description = await describe(location);
  const plugin = { ...location, name: description.name };
  return {
    ...description,
    version: location.version,
    origin: 'external',
    checkOptions: (options) => checkOptions(plugin, options),
    run: (hook, context) => run(plugin, hook, context),
  };
}

async function describe(location: PluginLocation): Promise<Description> {
  const signal = AbortSignal.timeout(HOST_LIMITS.answer_ms);
  const plugin = { ...location, name: location.label };
  try {
    const answer = await work({ plugin, task: { work: 'describe' }, signal });
    if (answer.type === 'described') return answer.plugin;
    throw new DeployError('plugin_invalid', 'it did not describe itself');
  } catch (error) {
    const evidence = error instanceof DeployError ? error.evidence : undefined;
    throw new DeployError('plugin_invalid', `${location.label}: ${reasonOf(error, signal)}`, {
      evidence,
      cause: error,
    });
  }
}

async function checkOptions(plugin: PluginLocation & { readonly name: string }, options: JsonObject): Promise<void> {
  const signal = AbortSignal.timeout(HOST_LIMITS.answer_ms);
  try {
    await work({ plugin, task: { work: 'check_options', options }, signal });
  } catch (error) {
    const told = error instanceof ToldFailure && error.failure.kind === 'options' ? error.failure : undefined;
    const message = told?.message ?? `${plugin.name} could not check them: ${reasonOf(error, signal)}`;
    const fields = told?.fields ?? [{ path: '', message }];
    throw new DeployError('plugin_options_invalid', message, { fields, cause: error });
  }
}

async function run<H extends Hook>(
  plugin: PluginLocation & { readonly name: string },
  hook: H,
  context: HookContexts<JsonObject>[H],
): Promise<void> {
  const service = new HookService(plugin.name, context);
  try {
    const task = { work: 'run', hook, context: contextData(context) } as const;
    await work({ plugin, task, signal: context.signal, service });
  } catch (error) {
    throw error instanceof ToldFailure ? hookFailure(error, plugin.name, service) : error;
  }
}

/** Why there is no answer, in words for whoever configured the plugin. */
function reasonOf(error: unknown, deadline: AbortSignal): string {
  if (deadline.aborted && error === deadline.reason) return `no answer within ${HOST_LIMITS.answer_ms / 1_000} s`;
  if (error instanceof ToldFailure) return toldReason(error.failure);
  return error instanceof Error ? error.message : String(error);
}

const HINTS: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: 'Node removes types only: build it to JavaScript',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: 'packages must hold JavaScript; TypeScript is for plugins in a folder',
  ERR_ACCESS_DENIED: 'plugins may read their own files and packages, and write nothing',
};

function toldReason(failure: HostFailure): string {
  if (failure.kind !== 'thrown') return failure.message;
  const [place] = failure.stack;
  const hint = HINTS[failure.code ?? ''];
  return `${failure.message}${place === undefined ? '' : ` (${place})`}${hint === undefined ? '' : `; ${hint}`}`;
}
