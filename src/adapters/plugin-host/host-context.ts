/** The context of a hook inside the plugin's process: its data as it came, its functions as messages to the server. */
import {
  HookFailure,
  type FetchResult,
  type Hook,
  type HookContexts,
  type JsonObject,
  type RunResult,
} from '../../domain/plugin.js';
import { send, type HostCalls } from './host-link.js';
import type { ContextData } from './protocol.js';

/** The server sends the data, and answers the calls, that the hook has; what else is here does no harm. */
export function hookContext(data: ContextData, signal: AbortSignal, calls: HostCalls): HookContexts<JsonObject>[Hook] {
  const context: Omit<HookContexts<JsonObject>['post_deploy'], 'image' | 'service'> = {
    ...data,
    signal,
    log: (level, message, details) =>
      send({ type: 'log', level, message: words(message), ...(details && { details }) }),
    probed: (probe) => send({ type: 'probed', probe }),
    report: (finding) => send({ type: 'report', finding }),
    output: (name, value) => send({ type: 'output', name, value }),
    fail: (code, message, evidence) => {
      throw new HookFailure(code, message, evidence);
    },
    secret: (name) => calls.ask<string>({ method: 'secret', name }),
    run: (command, options) => calls.ask<RunResult>({ method: 'run', command, ...(options && { options }) }),
    fetch: (path, options) => calls.ask<FetchResult>({ method: 'fetch', path, ...(options && { options }) }),
    connect: (port, timeoutMs, slot) =>
      calls.ask({
        method: 'connect',
        port,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(slot !== undefined && { slot }),
      }),
  };
  return context as HookContexts<JsonObject>[Hook];
}

/** From JavaScript it can be anything. */
function words(message: unknown): string {
  return String(message);
}
