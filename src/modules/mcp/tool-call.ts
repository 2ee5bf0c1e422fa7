/** One call of a tool: who makes it, with which arguments, and how it hears of the way there. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Principal } from '../../domain/ports.js';
import type { Content } from './answer.js';
import { type PersonsWord, wordOf } from './approval-question.js';
import { callerOf, envelopeOf, originOf, type Origin } from './caller.js';

export interface ToolCall {
  readonly principal: Principal;
  readonly arguments: Content;
  readonly origin: Origin;
  /** Whether the client can show a form to the person who uses it. */
  readonly canAsk: boolean;
  /** Only after that person was asked. */
  readonly word: PersonsWord | undefined;
  /** Aborts when nobody waits for the answer any more. What was ordered goes on. */
  readonly signal: AbortSignal;
  /** Where the caller asked for it; a caller that has gone hears nothing. */
  progress(message: string, share?: { readonly progress: number; readonly total: number }): Promise<void>;
}

/** What a client has said of itself when its session began, and does not say again with each request. */
export interface SessionClient {
  readonly name: string | undefined;
  readonly capabilities: ClientCapabilities;
}

export function toolCall(values: unknown, context: ServerContext, session: SessionClient | undefined): ToolCall {
  const { signal, _meta, notify } = context.mcpReq;
  const token = _meta?.progressToken;
  let told = 0;
  return {
    principal: callerOf(context, session?.name),
    arguments: typeof values === 'object' && values !== null ? { ...values } : {},
    origin: originOf(context.http?.authInfo),
    canAsk: showsForms(envelopeOf(context.mcpReq)[CLIENT_CAPABILITIES_META_KEY] ?? session?.capabilities),
    word: wordOf(context.mcpReq),
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

/** Who says nothing more than that it can ask can do so with a form. */
function showsForms(capabilities: ClientCapabilities | undefined): boolean {
  const { elicitation } = capabilities ?? {};
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}
