/** One connected client with everything that belongs to it. */
import type { LogSubscriber } from './log-subscriber.js';
import type { StreamSession } from './stream-session.js';
import type { StreamSocket } from './stream-socket.js';

const MESSAGES_PER_SECOND = 20;

export class StreamClient {
  private subscriber: LogSubscriber | undefined;
  private second = 0;
  private messages = 0;

  /** `url` is that of the handshake; its parameters are the first subscription. */
  constructor(
    readonly url: string,
    readonly address: string | undefined,
    readonly socket: StreamSocket,
    readonly session: StreamSession,
  ) {}

  get subscribed(): boolean {
    return this.subscriber !== undefined;
  }

  /** False when the client has sent more than its share in this second. */
  mayAsk(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.second) [this.second, this.messages] = [second, 0];
    return ++this.messages <= MESSAGES_PER_SECOND;
  }

  /** The new subscription takes the place of the one before. */
  follow(subscriber: LogSubscriber): void {
    this.unfollow();
    this.subscriber = subscriber;
    subscriber.start();
  }

  unfollow(): void {
    this.subscriber?.stop();
    this.subscriber = undefined;
  }

  end(): void {
    this.unfollow();
    this.session.stop();
  }
}
