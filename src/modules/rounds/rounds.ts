/** A loop that looks after something: at once when it is woken, else every few seconds, until it is stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

export interface RoundsOptions {
  /** Names what is looked after, for the log of the server. */
  readonly name: string;
  /** About so often without being woken; at random moments, so that many processes do not look all at once. */
  readonly every_ms: number;
  /** After a call the round waits for others that come at the same time. */
  readonly gather_ms?: number;
}

export class Rounds {
  readonly #logger: Logger;
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #isWoken = false;
  #wake: () => void = () => undefined;
  #trouble: string | undefined;

  constructor(
    private readonly options: RoundsOptions,
    private readonly round: (signal: AbortSignal) => Promise<void>,
  ) {
    this.#logger = new Logger(options.name);
  }

  start(): void {
    this.#running = this.#go();
  }

  /** There may be something to do: look now. Many calls during one round cause one more. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Aborts the signal of the round under way, and waits for its end. */
  async stop(): Promise<void> {
    this.#over.abort(new Error('FlukeDeploy shuts down.'));
    this.wake();
    await this.#running;
  }

  async #go(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#isWoken = false;
      await this.round(signal).then(
        () => this.#recovered(),
        (error: unknown) => this.#report(error),
      );
      await this.#sleep();
      const { gather_ms = 0 } = this.options;
      if (gather_ms > 0) await delay(gather_ms, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until somebody wakes us, which may have happened already. */
  #sleep(): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.every_ms * (0.5 + Math.random()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** An outage is told when it begins and when it ends. */
  #report(error: unknown): void {
    if (this.#over.signal.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#trouble) this.#logger.warn(`Looking after ${this.options.name.toLowerCase()} failed: ${text}`);
    this.#trouble = text;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#logger.log(`Looking after ${this.options.name.toLowerCase()} works again`);
    this.#trouble = undefined;
  }
}
