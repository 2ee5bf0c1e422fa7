/** A WebSocket of a load: it stays open, sends a numbered message some times a second and wants each one back, in order. */
import { WebSocket } from 'ws';
import type { LoadOrder } from './traffic-load.ts';
import { monotonic, type FailureKind, type Sample, type WebSocketClose } from './traffic-report.ts';
import { hostName } from './traffic-requests.ts';

/** Between two attempts to connect, each of which counts: an outage shall not become a flood. */
const PAUSE_MS = 250;
/** A message that is younger than this when the socket closes may have been on its way, and is sent again. */
const CROSSING_MS = 1_000;
/** Whoever drains closes old connections. One that has just been opened must not be closed. */
const YOUNGEST_MS = 1_000;
const ABNORMAL = 1006;

interface Message {
  readonly text: string;
  readonly due: number;
  /** When it was sent last. */
  sent?: number;
}

export interface WebSocketSink {
  sample(sample: Sample): void;
  closed(close: WebSocketClose): void;
}

export class TrafficWebSocket {
  readonly #order: LoadOrder;
  readonly #name: string;
  readonly #sink: WebSocketSink;
  /** Not yet echoed, in the order in which they must be. */
  readonly #pending: Message[] = [];
  #socket: WebSocket | undefined;
  #openedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #messages = 0;
  #ended = false;

  constructor(order: LoadOrder, name: string, sink: WebSocketSink) {
    this.#order = order;
    this.#name = name;
    this.#sink = sink;
  }

  start(): void {
    this.#connect();
    this.#timer = setInterval(() => this.#say(), 1_000 / this.#order.messages_per_second);
  }

  /** Says no more, waits for the last echoes, closes. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const look = setInterval(() => this.#dropLate(), PAUSE_MS);
    while (this.#pending.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(look);
    this.#ended = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url, host, ca, reject_unauthorized, timeout_ms } = this.#order;
    const began = monotonic();
    // Its types do not know that it hands this on.
    const name = { servername: hostName(host) };
    const socket = new WebSocket(url.replace(/^http/, 'ws'), {
      headers: { host },
      rejectUnauthorized: reject_unauthorized,
      handshakeTimeout: timeout_ms,
      perMessageDeflate: false,
      ...name,
      ...(ca !== undefined && { ca }),
    });
    let problem = 'closed during the handshake';
    this.#socket = socket;
    this.#openedAt = undefined;
    socket.on('open', () => {
      this.#openedAt = monotonic();
      this.#end(began);
      for (const message of this.#pending) this.#send(message);
    });
    socket.on('message', (data: Buffer) => this.#heard(data.toString()));
    socket.on('error', (error) => (problem = error.message));
    socket.on('close', (code) => {
      if (this.#ended) return;
      if (this.#openedAt === undefined) {
        this.#end(began, { kind: 'web_socket_refused', expected: 'a handshake', detail: problem });
        setTimeout(() => this.#reconnect(), PAUSE_MS);
      } else {
        this.#closed(code, this.#openedAt);
        this.#reconnect();
      }
    });
  }

  #reconnect(): void {
    if (!this.#ended) this.#connect();
  }

  #say(): void {
    const message = { text: `${this.#name} message ${++this.#messages}`, due: monotonic() };
    this.#pending.push(message);
    if (this.#openedAt !== undefined) this.#send(message);
    this.#dropLate();
  }

  #send(message: Message): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    message.sent = monotonic();
    this.#socket.send(message.text);
  }

  #heard(echo: string): void {
    const message = this.#pending.shift();
    if (message !== undefined && echo.endsWith(` ${message.text}`)) {
      this.#end(message.due);
      return;
    }
    const expected = message?.text ?? 'nothing';
    this.#end(message?.due ?? monotonic(), { kind: 'web_socket_wrong_echo', expected, detail: JSON.stringify(echo) });
    // What comes after it would all be out of order.
    this.#cut();
  }

  /** After a message without an echo the order is lost: the rest goes over a new connection. */
  #dropLate(): void {
    const { timeout_ms } = this.#order;
    const late = this.#pending.filter(({ due }) => monotonic() - due >= timeout_ms);
    for (const message of this.#pending.splice(0, late.length)) this.#lost(message, `no echo in ${timeout_ms} ms`);
    if (late.length > 0) this.#cut();
  }

  /** Ends the connection from this side, which is nobody's failure; what is pending goes over the next one. */
  #cut(): void {
    if (this.#openedAt === undefined) return;
    this.#openedAt = undefined;
    this.#socket?.removeAllListeners('close').on('close', () => this.#reconnect());
    this.#socket?.terminate();
  }

  /**
   * With `failure`, every close fails, and so does every message without an echo. With `allowed`, a close is one of a drain, with
   * whatever code a proxy's cut looks like, unless the socket was new; what may have been on its way is sent again over the next
   * connection and must be echoed there. What the app had time to answer, and did not, has failed.
   */
  #closed(code: number, openedAt: number): void {
    const at = monotonic();
    const open_ms = at - openedAt;
    const allowed = this.#order.websocket_reconnects === 'allowed' && open_ms >= YOUNGEST_MS;
    const isLost = ({ sent }: Message): boolean => sent !== undefined && (!allowed || at - sent > CROSSING_MS);
    for (const message of this.#pending.filter(isLost)) this.#lost(message, `closed with ${code} before the echo`);
    const left = this.#pending.filter((message) => !isLost(message));
    this.#pending.splice(0, this.#pending.length, ...left);
    this.#sink.closed({ at, code, open_ms, resent: left.filter(({ sent }) => sent !== undefined).length, allowed });
    if (allowed) return;
    const how = code === ABNORMAL ? 'without a close frame' : `with ${code}`;
    const detail = `closed ${how} after ${Math.round(open_ms)} ms`;
    this.#end(at, { kind: 'web_socket_closed', expected: 'an open WebSocket', detail });
  }

  #lost({ text, due }: Message, detail: string): void {
    this.#end(due, { kind: 'web_socket_no_echo', expected: text, detail });
  }

  #end(begun: number, failure?: { kind: FailureKind; expected: string; detail: string }): void {
    this.#sink.sample({ traffic: 'web_socket', begun, ms: monotonic() - begun, ...(failure && { failure }) });
  }
}
