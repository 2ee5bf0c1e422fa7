/**
 * The session of a client of 2025 with the server, and the stream on which the server speaks by itself. Its client knows of no sessions:
 * where the server has forgotten it, by a restart or to make room, it is begun again as its client has begun it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type BackoffRule, fullJitter } from '../domain/full-jitter.js';
import { type McpDoor, type SessionKey, textsOf } from './mcp-door.js';
import { type Fields, type Message, parseMessage } from './mcp-message.js';
import { said, told } from './mcp-questions.js';

const GONE = 404;
/** There is no such stream, and never will be. */
const NO_STREAM = 405;
const REOPENING: BackoffRule = { first_ms: 500, longest_ms: 15_000 };

/** An answer, and the session that it was given in. */
export interface Heard {
  readonly response: Response;
  readonly session: SessionKey | undefined;
}

export class McpSession {
  #key: SessionKey | undefined;
  #renewal: Promise<boolean> | undefined;
  #listening = new AbortController();
  /** What the client has said, to be said again in another session. */
  #opening: Message | undefined;
  #initialized: Message | undefined;
  readonly #watching = new Map<unknown, Message>();

  constructor(
    private readonly door: McpDoor,
    private readonly write: (message: Message) => void,
    private readonly closing: AbortSignal,
  ) {}

  get key(): SessionKey | undefined {
    return this.#key;
  }

  /**
   * MCP, Streamable HTTP, "Session Management": a client that gets 404 for a request with a session id MUST begin a new session by an
   * `initialize` without one. The server has not read the message, so that it can be sent once more; a second 404 is its answer.
   * @returns `undefined` for an answer to what nobody asks any more
   */
  async send(message: Message, signal: AbortSignal): Promise<Heard | undefined> {
    const first = await this.#post(message, signal);
    if (first?.session === undefined || first.response.status !== GONE) return first;
    if (!(await this.#renew(first.session))) return first;
    await first.response.body?.cancel();
    return this.#post(message, signal);
  }

  /** Keeps of what the server has granted what another session would need. */
  granted(request: Message, response: Response, result: Fields): void {
    const { method, params } = request;
    if (method === 'resources/subscribe') this.#watching.set(params?.['uri'], request);
    if (method === 'resources/unsubscribe') this.#watching.delete(params?.['uri']);
    const key = method === 'initialize' ? keyOf(response, result) : undefined;
    if (key === undefined) return;
    this.#opening = request;
    this.#initialized = undefined;
    this.#watching.clear();
    this.#enter(key);
  }

  async #post(message: Message, signal: AbortSignal): Promise<Heard | undefined> {
    const session = message.method === 'initialize' ? undefined : this.#key;
    if (message.method === 'notifications/initialized') this.#initialized = message;
    const meant = said(message, session);
    if (meant === undefined) return undefined;
    return { response: await this.door.ask({ method: 'POST', signal, session, message: meant }), session };
  }

  /**
   * One for all who find the same session gone.
   * @returns whether there is another one now
   */
  async #renew(gone: SessionKey): Promise<boolean> {
    if (this.#key !== gone) return true;
    this.#renewal ??= this.#beginAgain().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async #beginAgain(): Promise<boolean> {
    if (this.#opening === undefined) return false;
    const key = await this.#initialize(this.#opening);
    if (key === undefined) return false;
    const repeated = [...(this.#initialized ? [this.#initialized] : []), ...this.#watching.values()];
    for (const message of repeated) {
      const response = await this.door.ask({ method: 'POST', signal: this.closing, session: key, message });
      // The client has had its answer.
      await response.text();
    }
    this.#enter(key);
    return true;
  }

  async #initialize(message: Message): Promise<SessionKey | undefined> {
    const response = await this.door.ask({ method: 'POST', signal: this.closing, message });
    for await (const text of textsOf(response)) {
      const { result } = parseMessage(text) ?? {};
      if (result) return keyOf(response, result);
    }
    return undefined;
  }

  #enter(key: SessionKey): void {
    this.#key = key;
    this.#listening.abort();
    this.#listening = new AbortController();
    void this.#listen(key, AbortSignal.any([this.#listening.signal, this.closing]));
  }

  /** What the server says by itself, for as long as it is this session: a stream that ends is opened again. */
  async #listen(session: SessionKey, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      // Without the stream the session goes on all the same: answers come with their requests.
      const status = await this.#hear(session, signal).catch(() => undefined);
      if (status === NO_STREAM) return;
      if (status === GONE) await this.#renew(session).catch(() => false);
      failures = performance.now() - began > REOPENING.longest_ms ? 1 : failures + 1;
      await delay(fullJitter(REOPENING, failures, Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #hear(session: SessionKey, signal: AbortSignal): Promise<number> {
    const response = await this.door.ask({ method: 'GET', signal, session });
    if (!response.ok) {
      await response.body?.cancel();
      return response.status;
    }
    // Whatever has changed while nobody listened: a client that waits for the change would wait for ever.
    for (const uri of this.#watching.keys())
      this.write({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    for await (const text of textsOf(response)) {
      const message = parseMessage(text);
      if (message) this.write(told(message, session));
    }
    return response.status;
  }
}

function keyOf(response: Response, { protocolVersion }: Fields): SessionKey | undefined {
  const id = response.headers.get('mcp-session-id');
  return id !== null && typeof protocolVersion === 'string' ? { id, version: protocolVersion } : undefined;
}
