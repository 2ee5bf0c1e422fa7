/** Keeps the edge running and serving what the store says, whatever happened to either. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Edge } from '../../domain/ports.js';
import { EdgeRouter } from './edge-router.js';

const ROUND_MS = 3_000;
const CLOSE_MS = 2_000;

/** Which processes look after the edge: those that may use Docker. */
export class EdgeKeeping {
  constructor(readonly here: boolean) {}
}

@Injectable()
export class EdgeKeeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Edge');
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #trouble: string | undefined;
  #closed = false;

  constructor(
    private readonly edge: Edge,
    private readonly router: EdgeRouter,
    private readonly keeping: EdgeKeeping,
  ) {}

  onApplicationBootstrap(): void {
    if (this.keeping.here && this.edge.enabled) this.#schedule(0);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    // What is under way may take as long as an image to fetch; the next process goes on with it.
    await Promise.race([this.#round, sleep(CLOSE_MS, undefined, { ref: false })]);
  }

  #schedule(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#keep().finally(() => {
        if (!this.#closed) this.#schedule(ROUND_MS);
      });
    }, delay);
  }

  /** An outage is told when it begins and when it ends. */
  async #keep(): Promise<void> {
    try {
      await this.edge.ensure();
      await this.router.sync();
      if (this.#trouble !== undefined) this.#logger.log('The edge serves again');
      this.#trouble = undefined;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.#trouble) this.#logger.warn(text);
      this.#trouble = text;
    }
  }
}
