/** Runs the hooks of a phase, one after another: each with its deadline, its context, and its verdict in the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DeployError, ERRORS, type ErrorCode } from '../../../domain/errors.js';
import type { Finding, Hook, HookResult, JsonObject } from '../../../domain/hooks.js';
import { LIMITS } from '../../../domain/limits.js';
import { createDeploymentLog } from '../../../domain/log-entry.js';
import { HookFailure, type HookContext, type HookContexts, type Plugin } from '../../../domain/plugin.js';
import { failing, isGate, VALIDATION_GATES } from '../../../domain/validation-gates.js';
import { Plugins } from '../../plugins/index.js';
import type { HookSession } from './hook-session.js';
import { dueHooks, type DueHook } from './due-hooks.js';
import { HookRecord } from './hook-record.js';
import { pluginDeployment } from './plugin-deployment.js';

/** What a hook sees beside what all hooks see. */
export type Reach<H extends Hook> = Omit<HookContexts<JsonObject>[H], keyof HookContext>;
type Reaching<H extends Hook> = (due: DueHook, signal: AbortSignal) => Reach<H> | Promise<Reach<H>>;

/** So long a hook may take to stop after its signal; then it is left behind. */
const STOP_MS = 5_000;

@Injectable()
export class HookRunner {
  constructor(private readonly plugins: Plugins) {}

  /**
   * Answers whether there was anything to run.
   * @throws DeployError of the first hook whose failure stops the phase; the signal's reason when the session is stopped
   */
  async run<H extends Hook>(session: HookSession, hook: H, reach: Reaching<H>): Promise<boolean> {
    const { due, missing } = dueHooks(
      this.plugins.all,
      hook,
      session.state.identity,
      session.record.spec,
      session.config,
    );
    if (missing.length > 0) this.#without(missing, session);
    const before = [...(session.state.hooks ?? [])];
    for (const each of due) before.push(await this.#runOne(session, hook, each, reach, outputsOf(before)));
    return due.length > 0;
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
  ): Promise<HookResult> {
    const { plugin, rule } = due;
    const started = performance.now();
    const deadline = new AbortController();
    const stop = (error: DeployError): void => deadline.abort(error);
    const late = `${plugin.name} took longer than the ${rule.timeout_seconds} s that it may.`;
    const timer = setTimeout(() => stop(new DeployError('hook_timeout', late)), rule.timeout_seconds * 1000);
    const signal = AbortSignal.any([session.signal, deadline.signal]);
    const record = new HookRecord(session, plugin.name, stop);
    const work = async (): Promise<void> => {
      const context = { ...this.#common(session, hook, due, record, signal, outputs), ...(await reach(due, signal)) };
      await plugin.run(hook, context as HookContexts<JsonObject>[H]);
    };
    const error = await untilStopped(work(), signal)
      .then(() => verdict(due, record.findings))
      .catch((thrown: unknown) => failureOf(plugin, thrown))
      .finally(() => {
        clearTimeout(timer);
        // Whatever it has left running, such as a command that nobody waits for, ends with it.
        stop(new DeployError('cancelled', `${plugin.name} has ended.`));
      });
    session.signal.throwIfAborted();

    const duration_ms = Math.round(performance.now() - started);
    const result = { plugin: plugin.name, hook, attempt: session.attempt, duration_ms, ...told(due, record, error) };
    session.note({ type: 'hook_ended', at: new Date().toISOString(), result });
    if (error && result.outcome === 'failed') throw error;
    return result;
  }

  #common(
    session: HookSession,
    phase: Hook,
    { plugin, options }: DueHook,
    record: HookRecord,
    signal: AbortSignal,
    outputs: HookContext['outputs'],
  ): HookContext<JsonObject> {
    const { log, probed, report, output } = record;
    return {
      deployment: pluginDeployment(session),
      phase,
      attempt: session.attempt,
      options,
      signal,
      outputs,
      log,
      probed,
      report,
      output,
      fail: (code, message, evidence) => {
        throw new HookFailure(code, message, evidence);
      },
      secret: (name) => {
        const places = [session.secrets, session.env, this.plugins.server.secrets];
        const value = places.find((place) => Object.hasOwn(place, name))?.[name];
        if (value !== undefined) return Promise.resolve(value);
        return Promise.reject(
          new DeployError('secret_missing', `${plugin.name} asks for the secret ${name}, which is not there.`),
        );
      },
    };
  }
}

/** However the work goes on, it is over a while after its signal. */
async function untilStopped(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const left = new Promise<never>((_, reject) => {
    const leave = (): void => {
      sleep(STOP_MS, undefined, { signal: settled.signal, ref: false }).then(
        () => reject(signal.reason as Error),
        () => undefined,
      );
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    await Promise.race([work, left]);
    signal.throwIfAborted();
  } catch (error) {
    // However it ends after its signal, it ends for that.
    throw signal.aborted ? signal.reason : error;
  } finally {
    settled.abort();
  }
}

/** What has been found may stop the deployment, though the hook itself came to its end. */
function verdict({ plugin, mode }: DueHook, findings: readonly Finding[]): DeployError | undefined {
  const [first, ...others] = failing(findings, mode);
  if (first === undefined) return undefined;
  const evidence = [first, ...others].slice(0, LIMITS.evidence_lines).map(lineOf);
  const code = isGate(plugin.name) ? VALIDATION_GATES[plugin.name].code : 'hook_failed';
  return new DeployError(ownCode(plugin, first.code) ?? code, first.message, {
    evidence,
    plugin: { name: plugin.name, code: first.code },
  });
}

function failureOf(plugin: Plugin, error: unknown): DeployError {
  const { name } = plugin;
  if (error instanceof HookFailure) {
    const { message, evidence } = error;
    const code = error.code.slice(0, LIMITS.finding_code_length);
    return new DeployError(ownCode(plugin, code) ?? 'hook_failed', message, { evidence, plugin: { name, code } });
  }
  if (error instanceof DeployError) {
    const { code, message, evidence, plugin: by = { name } } = error;
    return new DeployError(code, message, { evidence, plugin: by, cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new DeployError('hook_failed', `${name}: ${message}`, { plugin: { name }, cause: error });
}

/** What comes with FlukeDeploy may use the codes of its table; others' codes mean whatever they mean. */
function ownCode({ origin }: Plugin, code: string): ErrorCode | undefined {
  return origin === 'built-in' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
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

function lineOf({ place, message }: Finding): string {
  return place ? `${place}: ${message}` : message;
}

function outputsOf(results: readonly HookResult[]): HookContext['outputs'] {
  const byPlugin: Record<string, JsonObject> = {};
  for (const { plugin, outputs } of results) if (outputs) byPlugin[plugin] = { ...byPlugin[plugin], ...outputs };
  return byPlugin;
}
