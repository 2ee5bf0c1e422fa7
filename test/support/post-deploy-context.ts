/** Runs the post_deploy hook of a plugin on real replicas, and tells what it did. */
import type { Finding, JsonObject, ProbeReport } from '../../src/domain/plugin.js';
import type { PluginDefinition, PostDeployContext } from '../../src/plugin/index.js';
import type { Replicas } from './replicas.js';

export interface Outcome {
  readonly probes: readonly ProbeReport[];
  readonly findings: readonly Finding[];
  /** What it was ended with. */
  readonly failure?: { readonly code: string; readonly message: string };
}

class Failed extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** @throws what the hook throws, other than by `fail` */
export async function runPostDeploy<Options>(
  plugin: PluginDefinition<Options>,
  input: JsonObject,
  replicas: Replicas,
  { signal = new AbortController().signal, probed = () => undefined }: Partial<Watcher> = {},
): Promise<Outcome> {
  const client = replicas.client({}, signal);
  const probes: ProbeReport[] = [];
  const findings: Finding[] = [];
  const context = {
    options: await read(plugin, input),
    signal,
    service: await client.service(),
    fetch: client.fetch,
    connect: client.connect,
    probed: (probe: ProbeReport) => {
      probes.push(probe);
      probed(probe);
    },
    report: (finding: Finding) => void findings.push(finding),
    fail: (code: string, message: string): never => {
      throw new Failed(code, message);
    },
  } as unknown as PostDeployContext<Options>;
  const hook = plugin.hooks.post_deploy!;
  try {
    await (typeof hook === 'function' ? hook(context) : hook.run(context));
    return { probes, findings };
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return { probes, findings, failure: { code: error.code, message: error.message } };
  }
}

interface Watcher {
  readonly signal: AbortSignal;
  probed(probe: ProbeReport): void;
}

async function read<Options>({ options }: PluginDefinition<Options>, input: JsonObject): Promise<Options> {
  if (options === undefined || !('~standard' in options)) throw new Error('its options are no Standard Schema');
  const result = await options['~standard'].validate(input);
  if (result.issues) throw new Error(result.issues.map(({ message }) => message).join(', '));
  return result.value;
}
