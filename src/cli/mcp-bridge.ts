/** Carries JSON-RPC between standard input and output and the server's `/mcp`: a message is a POST, what comes back are lines. */
import { McpDoor, textsOf } from './mcp-door.js';
import { isRequest, type Message, parseMessage } from './mcp-message.js';
import { told } from './mcp-questions.js';
import { type Heard, McpSession } from './mcp-session.js';
import type { Server } from './transport.js';

const PARSE_ERROR = -32_700;
const NO_ANSWER = -32_000;
const FAREWELL_MS = 2_000;

export class McpBridge {
  readonly #closing = new AbortController();
  /** Requests that wait for their answer, by their id. */
  readonly #running = new Map<unknown, AbortController>();
  readonly #door: McpDoor;
  /** Of a client that speaks a protocol of 2025. */
  readonly #session: McpSession;

  constructor(
    server: Server,
    private readonly write: (message: unknown) => void,
  ) {
    this.#door = new McpDoor(server);
    this.#session = new McpSession(this.#door, write, this.#closing.signal);
  }

  /** Does not wait: answers come when they come. */
  send(line: string): void {
    const message = parseMessage(line);
    if (message === undefined) {
      this.#refuse(null, PARSE_ERROR, 'The line is not a JSON-RPC message.');
      return;
    }
    // Without a session, whoever ends the stream of an answer cancels its request.
    const isCancel = message.method === 'notifications/cancelled' && this.#session.key === undefined;
    if (isCancel) this.#running.get(message.params?.['requestId'])?.abort();
    else void this.#exchange(message);
  }

  /** Gives everything up that still runs; deployments go on. */
  async close(): Promise<void> {
    this.#closing.abort();
    const session = this.#session.key;
    if (session === undefined) return;
    const signal = AbortSignal.timeout(FAREWELL_MS);
    await this.#door.ask({ method: 'DELETE', signal, session }).catch(() => undefined);
  }

  async #exchange(message: Message): Promise<void> {
    const cancel = new AbortController();
    const signal = AbortSignal.any([cancel.signal, this.#closing.signal]);
    if (isRequest(message)) this.#running.set(message.id, cancel);
    try {
      const heard = await this.#session.send(message, signal);
      if (heard) await this.#answer(message, heard);
    } catch (error) {
      if (signal.aborted || !isRequest(message)) return;
      this.#refuse(message.id, NO_ANSWER, `${this.#door.server.url} does not answer: ${reasonOf(error)}`);
    } finally {
      this.#running.delete(message.id);
    }
  }

  async #answer(message: Message, { response, session }: Heard): Promise<void> {
    let isAnswered = false;
    for await (const text of textsOf(response)) {
      const answer = parseMessage(text);
      if (answer === undefined) continue;
      // What is refused before it is read has no id; its sender would wait for ever.
      const own = answer.error && answer.id === null && isRequest(message) ? { ...answer, id: message.id } : answer;
      const isOwn = own.id === message.id && own.method === undefined;
      if (isOwn && own.result) this.#session.granted(message, response, own.result);
      this.write(told(own, session));
      isAnswered ||= isOwn;
    }
    if (!isAnswered && isRequest(message)) {
      this.#refuse(message.id, NO_ANSWER, `The server answered HTTP ${response.status}, without an answer.`);
    }
  }

  #refuse(id: unknown, code: number, message: string): void {
    this.write({ jsonrpc: '2.0', id, error: { code, message } });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
