/** The clock of the notifications: looks soon after a deployment has ended, and every few seconds for what is tried again. */
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { isFinal } from '../../domain/phases.js';
import { NotificationStore } from '../../domain/ports.js';
import { LogHub } from '../logs/index.js';
import { Notifier } from './notifier.js';

const ROUND_MS = 2_000;
const SELDOM_MS = 3_600_000;

@Injectable()
export class NotificationRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Notifications');
  readonly #over = new AbortController();
  #rounds: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;
  #isWoken = false;
  #wake: () => void = () => undefined;
  #prunedAt = -Infinity;
  #trouble: string | undefined;

  constructor(
    private readonly notifier: Notifier,
    private readonly store: NotificationStore,
    private readonly hub: LogHub,
  ) {}

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.hub.subscribe((batch) => {
      if (batch.some(({ row }) => isFinal(row.status))) this.wake();
    });
    this.#rounds = this.#goRound();
  }

  /** Attempts under way are broken off and given back, for the next process to make. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    this.#over.abort(new Error('FlukeDeploy shuts down.'));
    this.wake();
    await this.#rounds;
    await this.notifier.settled();
  }

  /** There may be something to do: look now. Many calls during one round cause one more. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async #goRound(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#isWoken = false;
      await this.#round(signal).then(
        () => this.#recovered(),
        (error: unknown) => this.#report(error),
      );
      await this.#sleep();
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.notifier.round(signal, () => this.wake());
    if (performance.now() - this.#prunedAt < SELDOM_MS) return;
    await this.store.prune();
    this.#prunedAt = performance.now();
  }

  /** Until somebody wakes us, which may have happened already; else at random moments, so that many processes do not look all at once. */
  #sleep(): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ROUND_MS * (0.5 + Math.random()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** An outage is told when it begins and when it ends. */
  #report(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#trouble) this.#logger.warn(`Looking after notifications failed: ${text}`);
    this.#trouble = text;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#logger.log('Looking after notifications works again');
    this.#trouble = undefined;
  }
}
