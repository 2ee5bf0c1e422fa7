/** A complete context of a hook without a server: it answers what the test says, and records what the hook does. */
import { DeployError } from '../../domain/errors.js';
import { fail, withOutput } from '../../domain/hook-verdict.js';
import type {
  Hook,
  HookContext,
  HookContexts,
  JsonObject,
  PluginWorkspace,
  PostDeployContext,
  PreDeployContext,
} from '../../domain/plugin.js';
import { answerTo } from './answers.js';
import type { CommonParts, ContextParts, PostDeployParts, PreDeployParts } from './context-parts.js';
import { DEPLOYMENT, IMAGE, SERVICE } from './example.js';
import { Recording, type Recorded } from './recording.js';

/** The context of a hook, and what was done with it. */
export type FakeContext<H extends Hook, Options = JsonObject> = HookContexts<Options>[H] & {
  readonly recorded: Recorded;
};

/**
 * Makes the context of a hook. What the test leaves out has a plain default; what only the test can know (the source, the answers of
 * the app, secrets) is asked for in a clear error once the hook needs it.
 *
 * @example
 * ```ts
 * const context = fakeContext('post_deploy', { fetch: { '/health': 503 } });
 * ```
 */
export function fakeContext<H extends Hook, Options = JsonObject>(
  hook: H,
  parts: ContextParts<Options>[H] & { readonly options?: Options } = {},
): FakeContext<H, Options> {
  const recorded = new Recording();
  const makers: { [K in Hook]: (parts: ContextParts<Options>[K]) => HookContexts<Options>[K] } = {
    pre_build: (given) => ({ ...common(hook, recorded, given), workspace: given.workspace ?? noWorkspace(recorded) }),
    pre_deploy: (given) => ({ ...common(hook, recorded, given), ...withImage(recorded, given) }),
    post_deploy: (given) => ({
      ...common(hook, recorded, given),
      ...withImage(recorded, given),
      ...withService(recorded, given),
    }),
  };
  return { ...makers[hook](parts), recorded };
}

function common<Options>(phase: Hook, recorded: Recording, parts: CommonParts<Options>): HookContext<Options> {
  const { attempt = 1, outputs = {}, secrets = {}, signal = new AbortController().signal } = parts;
  return {
    deployment: frozen(structuredClone({ ...DEPLOYMENT, ...parts.deployment })),
    phase,
    attempt,
    options: parts.options ?? ({} as Options),
    signal,
    outputs,
    log: (level, message, details) => void recorded.logs.push({ level, message, ...(details && { details }) }),
    probed: (probe) => void recorded.probes.push(probe),
    report: (finding) => void recorded.findings.push(finding),
    fail,
    output: (name, value) => {
      recorded.outputs = withOutput(recorded.outputs, name, value);
    },
    secret: async (name) => {
      const value = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (value === undefined) throw new DeployError('secret_missing', `There is no secret named ${name}.`);
      return value;
    },
  };
}

function withImage(recorded: Recording, parts: PreDeployParts<unknown>): Pick<PreDeployContext, 'image' | 'run'> {
  const results = new Map<string, ReturnType<PreDeployContext['run']>>();
  const run: PreDeployContext['run'] = async (command, options = {}) => {
    recorded.runs.push({ command, options });
    const words = command.join(' ');
    const missing = () => recorded.unansweredCall(noAnswer('run', words, `{ ${quoted(words)}: 0 }`));
    const answer = await answerTo(parts.run, [command, options], [words], missing);
    const result = typeof answer === 'number' ? { exitCode: answer } : answer;
    return { exitCode: 0, lastLines: [], durationMs: 1, ...result };
  };
  return {
    image: { ...IMAGE, ...parts.image },
    run: (command, options) => {
      const call = JSON.stringify([command, options?.env ?? {}]);
      const result = results.get(call) ?? run(command, options);
      results.set(call, result);
      return result;
    },
  };
}

function withService(
  recorded: Recording,
  parts: PostDeployParts<unknown>,
): Pick<PostDeployContext, 'service' | 'fetch' | 'connect'> {
  return {
    service: { ...SERVICE, ...parts.service },
    fetch: async (path, options = {}) => {
      recorded.fetches.push({ path, options });
      const { method = 'GET' } = options;
      const names = method === 'GET' ? [path, `GET ${path}`] : [`${method} ${path}`];
      const missing = () => recorded.unansweredCall(noAnswer('fetch', path, `{ ${quoted(names[0] ?? path)}: 200 }`));
      const answer = await answerTo(parts.fetch, [path, options], names, missing);
      const result = typeof answer === 'number' ? { status: answer } : answer;
      return { status: 200, headers: {}, body: '', durationMs: 1, ...result };
    },
    connect: async (...call) => {
      const [port] = call;
      recorded.connects.push(port);
      const missing = () => recorded.unansweredCall(noAnswer('connect', port, `{ ${port}: true }`));
      const answer = await answerTo(parts.connect, call, [String(port)], missing);
      const result = typeof answer === 'boolean' ? { accepted: answer } : answer;
      return { accepted: true, durationMs: 1, ...result };
    },
  };
}

/** Only a hook that reads the source needs one. */
function noWorkspace(recorded: Recording): PluginWorkspace {
  const missing = () =>
    recorded.unansweredCall(
      "context.workspace was read, but the test gives no source. Add one, such as source: { Dockerfile: 'FROM scratch' }",
    );
  return {
    get folder(): string {
      throw missing();
    },
    get dockerfile(): string {
      throw missing();
    },
  };
}

function noAnswer(method: 'run' | 'fetch' | 'connect', asked: string | number, example: string): string {
  return `context.${method}(${quoted(asked)}) was called, but the test gives no answer. Add one, such as ${method}: ${example}`;
}

function quoted(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value}'`;
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
