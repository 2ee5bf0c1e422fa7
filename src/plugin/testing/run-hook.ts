/** Runs one hook of a plugin as the server does, without a server: options, deadline, findings and verdict. */
import { DeployError } from '../../domain/errors.js';
import { HookFailure, type Finding, type Hook, type PluginDeployment } from '../../domain/plugin.js';
import type { PluginDefinition } from '../define-plugin.js';
import { inProcessPlugin } from '../in-process-plugin.js';
import { fakeContext, type ContextParts, type FakeContext } from './fake-context.js';
import type { Recorded } from './recording.js';
import { sourceFolder, type SourceFiles, type SourceFolder } from './source-folder.js';

/** What a context is made of for one run. */
export type HookParts<H extends Hook> = ContextParts[H] & {
  /** Files that are there while the hook runs, for `pre_build`. */
  readonly source?: H extends 'pre_build' ? SourceFiles : never;
  /** Only a context that was made before has a record. */
  readonly recorded?: never;
};

/** How a hook is judged. */
export interface RunHookOptions {
  /** Whether warnings count: they do where it is `strict`. That of the deployment when left out. */
  readonly validationLevel?: PluginDeployment['validation_level'];
}

/** Why a hook failed. */
export interface HookRunFailure {
  /** The plugin's own code, or one of the server's, such as `hook_timeout` or `plugin_options_invalid`. */
  readonly code: string;
  readonly message: string;
  /** What `fail` was given, the findings that count, or the stack of an exception. */
  readonly evidence: readonly string[];
}

/** How a hook ended, and everything that it did. */
export interface HookRun extends Recorded {
  /** That of the hook itself; its `onFailure` says what a failure means for the deployment. */
  readonly outcome: 'passed' | 'failed';
  /** There when the outcome is `failed`. */
  readonly failure?: HookRunFailure;
}

/**
 * Runs a hook to its end. The plugin is checked and its options are read exactly as on a server, and the hook has the time that it
 * asks for. A hook that fails is an outcome; a mistake of the test itself, such as an answer that is missing, is thrown.
 *
 * @example
 * ```ts
 * const { outcome, failure } = await runHook(plugin, 'pre_build', {
 *   source: { Dockerfile: 'FROM scratch' },
 *   options: { limit_kb: 100 },
 * });
 * ```
 *
 * @throws Error when the plugin is not valid or has no such hook, and when the hook needs what the test does not give
 */
export async function runHook<H extends Hook, Options>(
  plugin: PluginDefinition<Options>,
  hook: H,
  given: FakeContext<NoInfer<H>> | HookParts<NoInfer<H>> = {},
  { validationLevel }: RunHookOptions = {},
): Promise<HookRun> {
  const tested = inProcessPlugin(plugin, { version: '0.0.0', origin: 'external' });
  const { name, hooks } = tested;
  const rule = hooks[hook];
  if (rule === undefined)
    throw new Error(`${name} has no hook ${hook}; it has ${Object.keys(hooks).join(', ') || 'none'}`);

  await using workspace = await sourceOf(given as { readonly source?: SourceFiles });
  const context = isContext<H>(given) ? given : fakeContext<H>(hook, { ...given, ...(workspace && { workspace }) });
  const { recorded } = context;
  const level = validationLevel ?? context.deployment.validation_level;
  const deployment = Object.freeze({ ...context.deployment, validation_level: level });

  using deadline = new Deadline(rule.timeout_seconds, context.signal);
  const failure = await deadline
    .keptBy(tested.run(hook, { ...context, deployment, signal: deadline.signal }))
    .then(() => verdictOf(recorded.findings, level), failureOf);

  const [mistake] = recorded.unanswered;
  if (mistake !== undefined) throw new Error(mistake);
  return { ...recorded, outcome: failure ? 'failed' : 'passed', ...(failure && { failure }) };
}

function isContext<H extends Hook>(given: FakeContext<H> | HookParts<H>): given is FakeContext<H> {
  return given.recorded !== undefined;
}

async function sourceOf({ source }: { readonly source?: SourceFiles }): Promise<SourceFolder | undefined> {
  return source && sourceFolder(source);
}

/** The time of a hook, and the signal that tells it of its end. */
class Deadline implements Disposable {
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(seconds: number, cancelled: AbortSignal) {
    const late = new DeployError('hook_timeout', `The hook took longer than ${seconds} seconds.`);
    this.#timer = setTimeout(() => this.#over.abort(late), seconds * 1000);
    this.signal = AbortSignal.any([cancelled, this.#over.signal]);
  }

  /** @throws DeployError `hook_timeout` or `cancelled`, whether the work heeds the signal or not */
  async keptBy(work: Promise<void>): Promise<void> {
    const ended = Promise.withResolvers<never>();
    const end = () => ended.reject(this.#over.signal.aborted ? this.#over.signal.reason : new DeployError('cancelled'));
    if (this.signal.aborted) end();
    this.signal.addEventListener('abort', end, { once: true });
    await Promise.race([ended.promise, work]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Errors count, and warnings where the level is strict. */
function verdictOf(
  findings: readonly Finding[],
  level: PluginDeployment['validation_level'],
): HookRunFailure | undefined {
  const counting = findings.filter(
    ({ severity }) => severity === 'error' || (severity === 'warning' && level === 'strict'),
  );
  const [first] = counting;
  if (first === undefined) return undefined;
  const lines = counting.map(({ place, message }) => (place === undefined ? message : `${place}: ${message}`));
  return { code: first.code, message: first.message, evidence: lines };
}

function failureOf(error: unknown): HookRunFailure {
  if (error instanceof HookFailure || error instanceof DeployError)
    return { code: error.code, message: error.message, evidence: error.evidence ?? [] };
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  return { code: 'hook_failed', message, evidence: stack.split('\n') };
}
