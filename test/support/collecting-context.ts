/** Runs a plugin's pre_build hook over a folder, in a context that keeps what the hook reports and logs. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Finding, JsonObject, PluginDefinition, PreBuildContext } from '../../src/plugin/index.js';

export interface Collected {
  readonly findings: readonly Finding[];
  readonly log: readonly string[];
}

/** @param options as an app would give them */
export async function runPreBuild<Options>(
  plugin: PluginDefinition<Options>,
  folder: string,
  options: JsonObject = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Collected> {
  const findings: Finding[] = [];
  const log: string[] = [];
  const context = {
    workspace: { folder, dockerfile: 'Dockerfile' },
    options: await checked(plugin, options),
    signal,
    report: (finding: Finding) => void findings.push(finding),
    log: (level: string, message: string) => void log.push(`${level}: ${message}`),
  };
  const hook = plugin.hooks.pre_build;
  if (hook === undefined) throw new Error(`${plugin.name} has no pre_build hook`);
  // A hook that asks for anything else of its context fails the test.
  await (typeof hook === 'function' ? hook : hook.run)(context as unknown as PreBuildContext<Options>);
  return { findings, log };
}

async function checked<Options>(plugin: PluginDefinition<Options>, options: JsonObject): Promise<Options> {
  const schema = plugin.options as StandardSchemaV1<unknown, Options>;
  const result = await schema['~standard'].validate(options);
  if (result.issues) throw new Error(result.issues.map(({ message }) => message).join('; '));
  return result.value;
}
