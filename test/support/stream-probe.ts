/** A client of the log stream over the real `ws` library, whose frames a test takes one after the other. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

export type Frame = Readonly<Record<string, unknown>>;

export class StreamProbe {
  /** Every frame so far, taken or not. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private taken = 0;
  private arrived: () => void = () => undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      this.arrived();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.arrived();
      });
    });
  }

  /** Resolves once the connection is open; rejects when it is refused. */
  static async connect(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<StreamProbe> {
    const socket = new WebSocket(url, protocols, options);
    const probe = new StreamProbe(socket);
    await once(socket, 'open');
    return probe;
  }

  /** Connects, subscribes and takes the answer. */
  static async subscribed(url: string, request: object = {}): Promise<StreamProbe> {
    const probe = await StreamProbe.connect(url);
    probe.send({ action: 'subscribe', ...request });
    await probe.take();
    return probe;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next frame. Rejects when the connection is closed before it comes. */
  async take(): Promise<Frame> {
    for (;;) {
      const frame = this.frames[this.taken];
      if (frame !== undefined) {
        this.taken++;
        return frame;
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the stream was closed');
      await new Promise<void>((resolve) => (this.arrived = resolve));
    }
  }

  async takeMany(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.take());
    return frames;
  }

  /** Sends the message and takes its answer; for clients that are not subscribed. */
  async ask(message: object | string): Promise<Frame> {
    this.send(message);
    return this.take();
  }

  /** Cuts the connection without a goodbye. */
  cut(): void {
    this.socket.terminate();
  }
}

/** What a frame is, in one word: the message of an entry, the type of anything else. */
export function told({ message, type }: Frame): unknown {
  return type ?? message;
}
