/** The time of one run of a hook: until its deadline, until somebody stops it, and a little longer for it to heed that. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** So long a hook may take to stop after its signal; then it is left behind. */
const STOP_MS = 5_000;

export class HookDeadline implements Disposable {
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #leftBehind = false;
  /** Aborts at the deadline, by `stop`, and with the signal of who runs the hook. */
  readonly signal: AbortSignal;

  /** @param late - what it is stopped with at the deadline */
  constructor(seconds: number, late: Error, outer: AbortSignal) {
    this.#timer = setTimeout(() => this.stop(late), seconds * 1000);
    this.signal = AbortSignal.any([outer, this.#stopped.signal]);
  }

  readonly stop = (reason: Error): void => this.#stopped.abort(reason);

  /** Whether the hook went on though it was stopped. */
  get leftBehind(): boolean {
    return this.#leftBehind;
  }

  /** @throws the signal's reason once it has aborted, however the work ends and whether it ends; else what the work throws */
  async keptBy(work: Promise<void>): Promise<void> {
    const settled = new AbortController();
    try {
      await Promise.race([work, this.#outlasted(settled.signal)]);
    } catch (error) {
      if (!this.signal.aborted) throw error;
    } finally {
      settled.abort();
    }
    this.signal.throwIfAborted();
  }

  async #outlasted(settled: AbortSignal): Promise<void> {
    if (!this.signal.aborted) await once(this.signal, 'abort', { signal: settled });
    await pause(STOP_MS, undefined, { signal: settled });
    this.#leftBehind = true;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
