/** Wakeups within one process: what Redis is between processes. */
import { EventEmitter } from 'node:events';
import { Wakeups, type WakeupTopic } from '../../src/domain/ports.js';

export class MemoryWakeups extends Wakeups {
  private readonly emitter = new EventEmitter();

  publish(topic: WakeupTopic, message: string): Promise<void> {
    this.emitter.emit(topic, message);
    return Promise.resolve();
  }

  subscribe(topic: WakeupTopic, listener: (message: string) => void): () => void {
    this.emitter.on(topic, listener);
    return () => this.emitter.off(topic, listener);
  }
}
