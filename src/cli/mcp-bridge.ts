/** Carries JSON-RPC between standard input and output and the server's `/mcp`: a message is a POST, what comes back are lines. */
import { eventData } from './event-stream.js';
import { headersOf, isRequest, type Message, parseMessage } from './mcp-message.js';
import type { Server } from './transport.js';

const PARSE_ERROR = -32_700;
const NO_ANSWER = -32_000;
const FAREWELL_MS = 2_000;

interface Session {
  readonly id: string;
  readonly version: string;
}

export class McpBridge {
  readonly #closing = new AbortController();
  /** Requests that wait for their answer, by their id. */
  readonly #running = new Map<unknown, AbortController>();
  /** Of a client that speaks a protocol of 2025. */
  #session: Session | undefined;

  constructor(
    private readonly server: Server,
    private readonly write: (message: unknown) => void,
  ) {}

  /** Does not wait: answers come when they come. */
  send(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) {
      this.#refuse(null, PARSE_ERROR, 'The line is not a JSON-RPC message.');
      return;
    }
    // Without a session, whoever ends the stream of an answer cancels its request.
    const isCancel = message.method === 'notifications/cancelled' && this.#session === undefined;
    if (isCancel) this.#running.get(message.params?.['requestId'])?.abort();
    else void this.#exchange(message);
  }

  /** Gives everything up that still runs; deployments go on. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#session === undefined) return;
    await this.#fetch('DELETE', AbortSignal.timeout(FAREWELL_MS)).catch(() => undefined);
  }

  async #exchange(message: Message): Promise<void> {
    const cancel = new AbortController();
    const signal = AbortSignal.any([cancel.signal, this.#closing.signal]);
    if (isRequest(message)) this.#running.set(message.id, cancel);
    try {
      await this.#answer(message, await this.#fetch('POST', signal, message));
    } catch (error) {
      if (signal.aborted || !isRequest(message)) return;
      this.#refuse(message.id, NO_ANSWER, `${this.server.url} does not answer: ${reasonOf(error)}`);
    } finally {
      this.#running.delete(message.id);
    }
  }

  async #answer(message: Message, response: Response): Promise<void> {
    let isAnswered = false;
    for await (const text of textsOf(response)) {
      const answer = parseMessage(text);
      if (answer === undefined) continue;
      // What is refused before it is read has no id; its sender would wait for ever.
      const told = answer.error && answer.id === null && isRequest(message) ? { ...answer, id: message.id } : answer;
      if (message.method === 'initialize' && answer.result) this.#begin(response, answer.result);
      this.write(told);
      isAnswered ||= told.id === message.id && told.method === undefined;
    }
    if (!isAnswered && isRequest(message)) {
      this.#refuse(message.id, NO_ANSWER, `The server answered HTTP ${response.status}, without an answer.`);
    }
  }

  #begin(response: Response, { protocolVersion }: Readonly<Record<string, unknown>>): void {
    const id = response.headers.get('mcp-session-id');
    if (id === null || typeof protocolVersion !== 'string') return;
    this.#session = { id, version: protocolVersion };
    void this.#listen();
  }

  /** What the server says by itself, as long as there is a session. */
  async #listen(): Promise<void> {
    try {
      const response = await this.#fetch('GET', this.#closing.signal);
      for await (const text of textsOf(response)) {
        const message = parseMessage(text);
        if (message && response.ok) this.write(message);
      }
    } catch {
      // The session goes on without it: answers come with their requests.
    }
  }

  #fetch(method: string, signal: AbortSignal, message?: Message): Promise<Response> {
    const { url, token = '' } = this.server;
    return fetch(`${url}/mcp`, {
      method,
      redirect: 'manual',
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        ...(this.#session && { 'mcp-session-id': this.#session.id, 'mcp-protocol-version': this.#session.version }),
        ...(message && { 'content-type': 'application/json', ...headersOf(message) }),
      },
      ...(message && { body: JSON.stringify(message) }),
    });
  }

  #refuse(id: unknown, code: number, message: string): void {
    this.write({ jsonrpc: '2.0', id, error: { code, message } });
  }
}

async function* textsOf(response: Response): AsyncGenerator<string> {
  const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
  if (isStream && response.body) yield* eventData(response.body);
  else yield await response.text();
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
