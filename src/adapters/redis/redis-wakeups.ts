/** Wake-ups over Redis pub/sub. Nothing is kept: who was not there looks into the store. */
import type { Redis } from 'ioredis';
import { Wakeups, type WakeupTopic } from '../../domain/ports.js';

type Listener = (message: string) => void;
const PREFIX = 'flukedeploy:wakeup:';

export class RedisWakeups extends Wakeups {
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
  ) {
    super();
    subscriber.on('message', (channel: string, message: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(message);
    });
  }

  async publish(topic: WakeupTopic, message: string): Promise<void> {
    await this.publisher.publish(PREFIX + topic, message);
  }

  subscribe(topic: WakeupTopic, listener: Listener): () => void {
    const channel = PREFIX + topic;
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    // The connection subscribes again by itself after an outage; a failure now means an outage too.
    this.subscriber.subscribe(channel).catch(() => undefined);
    return () => listeners.delete(listener);
  }
}
