/** Tells the edge of changes: those that come together in one go, and those that it missed again. */
import { Injectable, Logger } from '@nestjs/common';
import { EdgeSync } from '../../domain/ports.js';

@Injectable()
export class EdgeUpdates {
  readonly #logger = new Logger(EdgeUpdates.name);
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #missed = false;

  constructor(private readonly edge: EdgeSync) {}

  /** Resolves once everything that was stored before is served. A sync under way may have looked too early: the next one counts. */
  served(): Promise<void> {
    if (this.#next) return this.#next;
    if (this.#running === undefined) return this.#start();
    this.#next = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /** What is stored is stored: an edge that is away gets it later. */
  async tell(): Promise<void> {
    try {
      await this.served();
    } catch (error) {
      if (!this.#missed)
        this.#logger.warn(`The edge does not serve the newest certificates yet: ${(error as Error).message}`);
      this.#missed = true;
    }
  }

  /** Tries again what `tell` could not. */
  async catchUp(): Promise<void> {
    if (this.#missed) await this.tell();
  }

  #start(): Promise<void> {
    const running = this.edge.sync().then(() => {
      this.#missed = false;
    });
    this.#running = running.finally(() => (this.#running = undefined));
    // Whoever waits hears of a failure from what they were given.
    this.#running.catch(() => undefined);
    return running;
  }
}
