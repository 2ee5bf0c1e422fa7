/** One call of a tool: who makes it, with which arguments, and how it hears of the way there. */
import type { ServerContext } from '@modelcontextprotocol/server';
import type { Principal } from '../../domain/ports.js';
import type { Content } from './answer.js';
import { addressOf, callerOf } from './caller.js';

export interface ToolCall {
  readonly principal: Principal;
  readonly arguments: Content;
  /** Of the client. */
  readonly address: string | undefined;
  /** Aborts when nobody waits for the answer any more. What was ordered goes on. */
  readonly signal: AbortSignal;
  /** Where the caller asked for it; a caller that has gone hears nothing. */
  progress(message: string, share?: { readonly progress: number; readonly total: number }): Promise<void>;
}

/** @param client what the client calls itself, where the request does not say it */
export function toolCall(values: unknown, context: ServerContext, client: string | undefined): ToolCall {
  const { signal, _meta, notify } = context.mcpReq;
  const token = _meta?.progressToken;
  let told = 0;
  return {
    principal: callerOf(context, client),
    arguments: typeof values === 'object' && values !== null ? { ...values } : {},
    address: addressOf(context.http?.authInfo),
    signal,
    progress: async (message, share) => {
      if (token === undefined || signal.aborted) return;
      // It must rise with every notification.
      told = Math.max(told + 0.001, share?.progress ?? 0);
      const params = { progressToken: token, progress: told, ...(share && { total: share.total }), message };
      await notify({ method: 'notifications/progress', params }).catch(() => undefined);
    },
  };
}
