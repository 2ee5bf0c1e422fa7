/** Runs one hook of a plugin as the server does, without a server: options, deadline, findings and verdict. */
import { DeployError } from '../../domain/errors.js';
import { judge } from '../../domain/hook-verdict.js';
import { HookFailure, type Hook, type PluginDeployment } from '../../domain/plugin.js';
import { gateMode } from '../../domain/validation-gates.js';
import type { PluginDefinition } from '../define-plugin.js';
import { HookDeadline } from '../hook-deadline.js';
import { inProcessPlugin } from '../in-process-plugin.js';
import type { ContextParts } from './context-parts.js';
import { fakeContext, type FakeContext } from './fake-context.js';
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
  /** Which findings count: errors, and warnings too where it is `strict`. That of the deployment when left out. */
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
  /** Whether it went on for seconds after its signal had aborted: a server goes on without it then. */
  readonly leftBehind: boolean;
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
  given?: HookParts<NoInfer<H>>,
  judged?: RunHookOptions,
): Promise<HookRun>;
/** The same with a context that was made before. */
export async function runHook<H extends Hook, Options>(
  plugin: PluginDefinition<Options>,
  hook: H,
  given: FakeContext<NoInfer<H>>,
  judged?: RunHookOptions,
): Promise<HookRun>;
export async function runHook<H extends Hook, Options>(
  plugin: PluginDefinition<Options>,
  hook: H,
  given: FakeContext<H> | HookParts<H> = {},
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

  const late = new DeployError('hook_timeout', `The hook took longer than ${rule.timeout_seconds} seconds.`);
  using deadline = new HookDeadline(rule.timeout_seconds, late, context.signal);
  const failure = await deadline
    .keptBy(tested.run(hook, { ...context, deployment, signal: deadline.signal }))
    .then(() => judge(recorded.findings, gateMode(name, level, true)))
    .then(
      () => undefined,
      (thrown: unknown) => failureOf(context.signal.aborted ? new DeployError('cancelled') : thrown),
    );

  const [mistake] = recorded.unanswered;
  if (mistake !== undefined) throw new Error(mistake);
  const { leftBehind } = deadline;
  return { ...recorded, outcome: failure ? 'failed' : 'passed', leftBehind, ...(failure && { failure }) };
}

function isContext<H extends Hook>(given: FakeContext<H> | HookParts<H>): given is FakeContext<H> {
  return given.recorded !== undefined;
}

async function sourceOf({ source }: { readonly source?: SourceFiles }): Promise<SourceFolder | undefined> {
  return source && sourceFolder(source);
}

function failureOf(error: unknown): HookRunFailure {
  if (error instanceof HookFailure || error instanceof DeployError)
    return { code: error.code, message: error.message, evidence: error.evidence ?? [] };
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  return { code: 'hook_failed', message, evidence: stack.split('\n') };
}
