/** One client's connection: writes that stay within a bound, the keepalive, and the end of those who do not read. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { FramePart } from './log-frames.js';
import type { LogStreamOptions } from './log-stream.options.js';

/** Close codes of our own (RFC 6455 §7.4.2) beside the registered ones. */
export const CLOSE = { restart: 1012, try_again_later: 1013, unauthenticated: 4401, slow_consumer: 4008 } as const;

/** More than this waiting for the client, and nothing is added until it has all been taken. */
const FULL_BYTES = 256 * 1024;
const MISSED_PINGS = 2;

/** What `ws` keeps to itself and joined frames need: its socket, and whether its sender is idle (0). */
interface WebSocketParts {
  readonly _socket: Socket;
  readonly _sender: { readonly _state: number };
}

export class StreamSocket {
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  private readonly parts: WebSocketParts;
  private readonly keepalive: NodeJS.Timeout;
  private draining: Promise<boolean> | undefined;
  private missedPings = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly options: LogStreamOptions,
    private readonly traffic: { messages_sent: number },
  ) {
    this.parts = socket as unknown as WebSocketParts;
    this.keepalive = setInterval(() => this.ping(), options.pingIntervalMs);
    socket.on('pong', () => (this.missedPings = 0));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearInterval(this.keepalive);
        resolve();
      });
    });
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get hasRoom(): boolean {
    return this.socket.bufferedAmount <= FULL_BYTES;
  }

  send(message: object): void {
    if (!this.open) return;
    this.traffic.messages_sent++;
    this.socket.send(JSON.stringify(message));
  }

  /** Past `ws` in one write, which is sound while its sender is idle: then every frame of its own was written whole. */
  write(part: FramePart): void {
    if (!this.open) return;
    this.traffic.messages_sent += part.texts.length;
    if (this.parts._sender._state === 0) this.parts._socket.write(part.bytes);
    else for (const text of part.texts) this.socket.send(text);
  }

  /** True once there is room, false when the connection is over. Who takes nothing for too long is closed. */
  drained(): Promise<boolean> {
    if (!this.open || this.hasRoom) return Promise.resolve(this.open);
    return (this.draining ??= this.untilDrained().finally(() => (this.draining = undefined)));
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  private untilDrained(): Promise<boolean> {
    const { _socket } = this.parts;
    return new Promise((resolve) => {
      const done = (drained: boolean): void => {
        _socket.setTimeout(0).off('drain', onDrain).off('timeout', onTimeout);
        this.socket.off('close', onClose);
        resolve(drained);
      };
      const onDrain = (): void => done(this.open);
      const onClose = (): void => done(false);
      const onTimeout = (): void => {
        this.close(CLOSE.slow_consumer, 'slow_consumer');
        done(false);
      };
      this.socket.on('close', onClose);
      // The socket's own clock: it starts again whenever the client takes even a part of what waits.
      _socket.setTimeout(this.options.slowConsumerMs).on('drain', onDrain).on('timeout', onTimeout);
    });
  }

  private ping(): void {
    // Behind a full buffer no ping arrives; there the clock of slow clients rules.
    if (this.draining !== undefined) return;
    if (this.missedPings >= MISSED_PINGS) {
      this.socket.terminate();
      return;
    }
    this.missedPings++;
    this.socket.ping();
  }
}
