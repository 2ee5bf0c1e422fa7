/** The server's `/mcp` over HTTP: one request, and the texts of its answer. */
import { eventData } from './event-stream.js';
import { headersOf, type Message } from './mcp-message.js';
import type { Server } from './transport.js';

/** What a client of 2025 says in its headers of the session it is in. */
export interface SessionKey {
  readonly id: string;
  readonly version: string;
}

interface Knock {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly signal: AbortSignal;
  readonly session?: SessionKey | undefined;
  readonly message?: Message;
}

export class McpDoor {
  constructor(readonly server: Server) {}

  ask({ method, signal, session, message }: Knock): Promise<Response> {
    const { url, token = '' } = this.server;
    return fetch(`${url}/mcp`, {
      method,
      redirect: 'manual',
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(session && { 'mcp-session-id': session.id, 'mcp-protocol-version': session.version }),
        ...(message && { 'content-type': 'application/json', ...headersOf(message) }),
      },
      ...(message && { body: JSON.stringify(message) }),
    });
  }
}

export async function* textsOf(response: Response): AsyncGenerator<string> {
  const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
  if (isStream && response.body) yield* eventData(response.body);
  else yield await response.text();
}
