/** Runs the hooks of a phase, one after another: each with its deadline, its context, and its verdict in the log. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../../domain/errors.js';
import { fail, hookError, judge } from '../../../domain/hook-verdict.js';
import type { Finding, Hook, HookResult, JsonObject } from '../../../domain/hooks.js';
import { LIMITS } from '../../../domain/limits.js';
import { createDeploymentLog } from '../../../domain/log-entry.js';
import type { HookContext, HookContexts, Plugin } from '../../../domain/plugin.js';
import { HookDeadline } from '../../../plugin/hook-deadline.js';
import { Plugins } from '../../plugins/index.js';
import type { HookSession } from './hook-session.js';
import { dueHooks, withoutSource, type DueHook } from './due-hooks.js';
import { HookRecord } from './hook-record.js';
import { pluginDeployment } from './plugin-deployment.js';

/** What a hook sees beside what all hooks see. */
export type Reach<H extends Hook> = Omit<HookContexts<JsonObject>[H], keyof HookContext>;
type Reaching<H extends Hook> = (due: DueHook, signal: AbortSignal) => Reach<H> | Promise<Reach<H>>;

/** What a validation does otherwise than a deployment. */
export interface HookCourse {
  /** Asked right before each plugin: whether it runs. */
  readonly runs?: (plugin: Plugin) => boolean;
  /** Hears how each hook ended, with the error that it ended by; nothing stops the ones after it. */
  readonly ended?: (due: DueHook, result: HookResult, error: DeployError | undefined) => void;
}

@Injectable()
export class HookRunner {
  constructor(private readonly plugins: Plugins) {}

  /**
   * Answers whether there was anything to run.
   * @throws DeployError of the first hook whose failure stops the phase; the signal's reason when the session is stopped
   */
  async run<H extends Hook>(
    session: HookSession,
    hook: H,
    reach: Reaching<H>,
    { runs = () => true, ended = throwWhereFailed }: HookCourse = {},
  ): Promise<boolean> {
    const { due, missing } = dueHooks(
      this.plugins.all,
      hook,
      session.state.identity,
      session.record.spec,
      session.config,
    );
    if (missing.length > 0) this.#without(missing, session);
    if (hook === 'pre_deploy') this.#tellIdle(session);
    const before = [...(session.state.hooks ?? [])];
    for (const each of due) {
      if (!runs(each.plugin)) continue;
      const { result, error } = await this.#runOne(session, hook, each, reach, outputsOf(before));
      ended(each, result, error);
      before.push(result);
    }
    return due.length > 0;
  }

  /** Whoever has asked for a check shall not take its silence for its approval. */
  #tellIdle(session: HookSession): void {
    for (const name of withoutSource(this.plugins.all, session.record.spec)) {
      const message = `${name} did not run: it looks at sources, and an image was given.`;
      session.emit(createDeploymentLog({ ...session.place(), level: 'warn', message }));
    }
  }

  /** The way back stays open: what is deployed again has passed its plugins when they were there. */
  #without(missing: readonly string[], session: HookSession): void {
    const message = `This worker has no plugin ${missing.join(', ')}.`;
    if (session.state.identity.kind !== 'rollback') throw new DeployError('plugin_missing', message);
    session.emit(
      createDeploymentLog({ ...session.place(), level: 'warn', message: `${message} The rollback goes on.` }),
    );
  }

  async #runOne<H extends Hook>(
    session: HookSession,
    hook: H,
    due: DueHook,
    reach: Reaching<H>,
    outputs: HookContext['outputs'],
  ): Promise<{ readonly result: HookResult; readonly error: DeployError | undefined }> {
    const { plugin, rule, mode } = due;
    const started = performance.now();
    const late = `${plugin.name} took longer than the ${rule.timeout_seconds} s that it may.`;
    using deadline = new HookDeadline(rule.timeout_seconds, new DeployError('hook_timeout', late), session.signal);
    const { signal, stop } = deadline;
    const record = new HookRecord(session, plugin.name, stop);
    const work = async (): Promise<void> => {
      const context = { ...this.#common(session, hook, due, record, signal, outputs), ...(await reach(due, signal)) };
      await plugin.run(hook, context as HookContexts<JsonObject>[H]);
    };
    const error = await deadline
      .keptBy(work())
      .then(() => judge(record.findings, mode))
      .then(
        () => undefined,
        (thrown: unknown) => hookError(plugin, thrown, (text) => session.bounded(text, LIMITS.log_line_length)),
      );
    // Whatever it has left running, such as a command that nobody waits for, ends with it.
    stop(new DeployError('cancelled', `${plugin.name} has ended.`));
    session.signal.throwIfAborted();

    const duration_ms = Math.round(performance.now() - started);
    const result = { plugin: plugin.name, hook, attempt: session.begun, duration_ms, ...told(due, record, error) };
    session.note({ type: 'hook_ended', at: new Date().toISOString(), result });
    return { result, error };
  }

  #common(
    session: HookSession,
    phase: Hook,
    { plugin, options, of_server }: DueHook,
    record: HookRecord,
    signal: AbortSignal,
    outputs: HookContext['outputs'],
  ): HookContext<JsonObject> {
    const { log, probed, report, output } = record;
    return {
      deployment: pluginDeployment(session),
      phase,
      attempt: session.begun,
      options,
      signal,
      outputs,
      log,
      probed,
      report,
      output,
      fail,
      secret: (name) => {
        // Whoever chooses a plugin's options, such as an address, can send there what is theirs, and no more.
        const known = [...(of_server ? [this.plugins.server.secrets] : []), session.secrets, session.env];
        const value = known.find((values) => Object.hasOwn(values, name))?.[name];
        if (value !== undefined) return Promise.resolve(value);
        return Promise.reject(
          new DeployError('secret_missing', `${plugin.name} asks for the secret ${name}, which is not there.`),
        );
      },
    };
  }
}

function throwWhereFailed(_: DueHook, { outcome }: HookResult, error: DeployError | undefined): void {
  if (error && outcome === 'failed') throw error;
}

function told(
  { rule, mode }: DueHook,
  { findings, outputs }: HookRecord,
  error: DeployError | undefined,
): Pick<HookResult, 'outcome' | 'code' | 'message' | 'findings' | 'outputs'> {
  const noted = findings.filter(({ severity }) => severity !== 'info');
  const kept = findings.length > 0 && { findings: findings.slice(0, LIMITS.hook_findings) };
  const left = Object.keys(outputs).length > 0 && { outputs };
  if (error) {
    const goesOn = rule.on_failure === 'warn' || mode === 'advise';
    const code = error.plugin?.code ?? error.code;
    return { outcome: goesOn ? 'warned' : 'failed', code, message: error.message, ...kept, ...left };
  }
  const outcome = noted.some(({ severity }) => severity === 'error') ? 'warned' : 'passed';
  return { outcome, ...(noted.length > 0 && { message: `${outcome}, ${count(noted)}` }), ...kept, ...left };
}

function count(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const parts = [
    [errors, 'error'],
    [findings.length - errors, 'warning'],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, noun]) => `${number} ${noun}${number === 1 ? '' : 's'}`)
    .join(' and ');
}

function outputsOf(results: readonly HookResult[]): HookContext['outputs'] {
  const byPlugin: Record<string, JsonObject> = {};
  for (const { plugin, outputs } of results) if (outputs) byPlugin[plugin] = { ...byPlugin[plugin], ...outputs };
  return byPlugin;
}
