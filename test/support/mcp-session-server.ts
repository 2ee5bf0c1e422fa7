/** An MCP server with sessions as of 2025, in plain HTTP: it can forget them, ask its client something, and stop and start again. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { ReturningServer } from './returning-server.js';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
}

interface Session {
  readonly watched: Set<unknown>;
  stream?: ServerResponse;
  /** The call that waits for its client's answer. */
  asking?: { readonly id: unknown; readonly response: ServerResponse };
}

export class McpSessionServer extends ReturningServer {
  /** Methods of the messages it has read, and `GET` for each stream that was opened. */
  readonly read: string[] = [];
  /** Begins sessions no more. */
  isFull = false;
  /** Forgets every session before its first call. */
  isForgetful = false;
  readonly #sessions = new Map<unknown, Session>();

  /** How often it has read a message of the method. */
  count(method: string): number {
    return this.read.filter((each) => each === method).length;
  }

  override async stop(): Promise<void> {
    this.forget();
    await super.stop();
  }

  /** Every session ends without a word; streams stay open, unless they are ended as well. */
  forget({ endsStreams = true } = {}): void {
    if (endsStreams) this.endStreams();
    this.#sessions.clear();
  }

  endStreams(): void {
    for (const { stream } of this.#sessions.values()) stream?.end();
  }

  /** Tells whoever watches it and listens. */
  change(uri: string): void {
    for (const { watched, stream } of this.#sessions.values())
      if (stream && watched.has(uri)) event(stream, { method: 'notifications/resources/updated', params: { uri } });
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = request.method === 'POST' ? ((await json(request)) as Message) : {};
    const id = request.headers['mcp-session-id'];
    if (id === undefined && message.method === 'initialize') {
      this.#begin(message, response);
      return;
    }
    if (this.isForgetful && message.method === 'tools/call') this.forget();
    const session = this.#sessions.get(id);
    this.read.push(
      session ? (message.method ?? (request.method === 'POST' ? 'answer' : String(request.method))) : '404',
    );
    if (session === undefined) {
      answer(response, 404, { id: message.id, error: { code: -32_001, message: 'Session not found' } });
      return;
    }
    if (request.method === 'GET') session.stream = opened(response);
    else if (request.method === 'DELETE') response.end();
    else this.#take(session, message, response);
  }

  #begin({ id, method }: Message, response: ServerResponse): void {
    this.read.push(String(method));
    if (this.isFull) {
      answer(response, 503, { id: null, error: { code: -32_000, message: 'full' } });
      return;
    }
    const session = randomUUID();
    this.#sessions.set(session, { watched: new Set() });
    response.setHeader('mcp-session-id', session);
    answer(response, 200, { id, result: { protocolVersion: '2025-11-25', capabilities: {} } });
  }

  #take(session: Session, { id, method, params, result }: Message, response: ServerResponse): void {
    if (method === 'resources/subscribe') session.watched.add(params?.['uri']);
    if (method === 'resources/unsubscribe') session.watched.delete(params?.['uri']);
    if (params?.['name'] === 'ask') {
      session.asking = { id, response: opened(response) };
      // As every session does, it counts its questions from 0.
      event(response, { id: 0, method: 'elicitation/create', params: { message: 'Sure?' } });
      return;
    }
    if (method === undefined && id === 0 && session.asking) {
      event(session.asking.response, { id: session.asking.id, result });
      session.asking.response.end();
    }
    if (method === undefined || id === undefined) response.writeHead(202).end();
    else answer(response, 200, { id, result: { done: params?.['name'] } });
  }
}

function answer(response: ServerResponse, status: number, message: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', ...message }));
}

function opened(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  return response;
}

function event(response: ServerResponse, message: object): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}
