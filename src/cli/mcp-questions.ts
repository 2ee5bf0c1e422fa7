/**
 * Questions of the server to its client, such as a form that approves. Every session counts them from 0, and the client does not know
 * that sessions change: each goes by the name of its session, so that a late answer to one is never taken for a word on another.
 */
import type { SessionKey } from './mcp-door.js';
import { isRequest, type Message } from './mcp-message.js';

/** What the server says, as its client is told. */
export function told(message: Message, session: SessionKey | undefined): Message {
  if (session === undefined) return message;
  if (isRequest(message)) return { ...message, id: nameOf(message.id, session) };
  const { method, params } = message;
  if (method !== 'notifications/cancelled') return message;
  return { ...message, params: { ...params, requestId: nameOf(params?.['requestId'], session) } };
}

/** @returns what its client says, as the server of the session is told; `undefined` for an answer to a question of another session */
export function said(message: Message, session: SessionKey | undefined): Message | undefined {
  if (session === undefined || message.method !== undefined) return message;
  const { id } = message;
  const prefix = nameOf(undefined, session);
  if (typeof id !== 'string' || !id.startsWith(prefix)) return undefined;
  return { ...message, id: JSON.parse(id.slice(prefix.length)) as unknown };
}

function nameOf(id: unknown, { id: session }: SessionKey): string {
  return `${session}:${id === undefined ? '' : JSON.stringify(id)}`;
}
