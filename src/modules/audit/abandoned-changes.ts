/** Brings into the trail what processes had begun when they died: nobody knows how it ended, but everybody that it was begun. */
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AuditTrail } from '../../domain/ports.js';

const LOOK_EVERY_MS = 60_000;
/** No request is answered later than this. */
const ABANDONED_AFTER_MS = 15 * 60_000;

@Injectable()
export class AbandonedChanges implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Audit');
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(private readonly trail: AuditTrail) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#round = this.#settle();
    }, LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  async #settle(): Promise<void> {
    try {
      const count = await this.trail.settleAbandoned(ABANDONED_AFTER_MS);
      if (count > 0) this.#logger.warn(`${count} changes were begun, and nobody has seen their end`);
    } catch (error) {
      this.#logger.warn(`Abandoned changes are looked for again later: ${String(error)}`);
    }
  }
}
