/** The clock of the delivery to FlukeBase: looks right after something was written, and every second for what is tried again. */
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { FlukeBase, FlukeBaseStore } from '../../domain/ports.js';
import { LogHub } from '../logs/index.js';
import { Rounds } from '../rounds/index.js';
import { FlukeBaseDelivery } from './flukebase-delivery.js';

const ROUND_MS = 1_000;
/** Lines that come together go together; an entry is on its way within a second all the same. */
const GATHER_MS = 200;
const SELDOM_MS = 3_600_000;
/** Requests under way at a shutdown have so long to end. */
const FAREWELL_MS = 2_000;

@Injectable()
export class FlukeBaseRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('FlukeBase');
  readonly #rounds = new Rounds({ name: 'FlukeBase', every_ms: ROUND_MS, gather_ms: GATHER_MS }, () => this.#round());
  /** Ends the requests under way; the rounds end before. */
  readonly #over = new AbortController();
  #unsubscribe: () => void = () => undefined;
  #isBegun = false;
  #prunedAt = -Infinity;

  constructor(
    private readonly delivery: FlukeBaseDelivery,
    private readonly store: FlukeBaseStore,
    private readonly flukebase: FlukeBase,
    private readonly hub: LogHub,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // What is written from now on is told; without the database the first round that has it begins.
    await this.#begin().catch(() => undefined);
    this.#unsubscribe = this.hub.subscribe(() => this.#rounds.wake());
    this.#rounds.start();
    void this.#check();
  }

  /** What was begun may end; what takes too long is broken off and given back, for the next process to send. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    const farewell = setTimeout(() => this.#over.abort(new Error('FlukeDeploy shuts down.')), FAREWELL_MS);
    await this.#rounds.stop();
    this.delivery.close();
    await this.delivery.settled();
    clearTimeout(farewell);
    this.#over.abort(new Error('FlukeDeploy shuts down.'));
  }

  async #round(): Promise<void> {
    await this.#begin();
    await this.delivery.round(this.#over.signal);
    if (performance.now() - this.#prunedAt < SELDOM_MS) return;
    await this.store.prune();
    this.#prunedAt = performance.now();
  }

  async #begin(): Promise<void> {
    if (this.#isBegun) return;
    await this.store.begin();
    // Whoever starts it anew may have mended what it waits for.
    await this.store.hurry();
    this.#isBegun = true;
  }

  /** A mistake in the settings is told at once, and stops nothing. */
  async #check(): Promise<void> {
    try {
      for (const { ok, message } of await this.flukebase.check(false, this.#over.signal)) {
        if (ok) this.#logger.log(message);
        else this.#logger.warn(`${message} Deployments go on; what happens is told when it works.`);
      }
    } catch {
      // Stopped before it was known.
    }
  }
}
