/** The time of a rollout: it stands still while that is paused, and while an Engine or an edge that starts anew is waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError, type ErrorCode } from '../../../domain/errors.js';
import type { DeploymentSession } from '../deployment-session.js';

/** Longer than the restart of either. */
const PATIENCE_MS = 120_000;
const RETRY_MS = 500;
const PASSING: readonly ErrorCode[] = ['docker_unavailable', 'edge_unavailable'];

export class Patience {
  /** When the rollout was looked at last, and how long it had stood still by then. */
  #looked = performance.now();
  #stood_ms = 0;

  constructor(
    private readonly session: DeploymentSession,
    private readonly options: { readonly signal?: AbortSignal; readonly longest_ms?: number } = {},
  ) {}

  /** Milliseconds that deadlines go by. */
  clock(): number {
    return performance.now() - this.#stood_ms;
  }

  /** Takes note of whether it stands still; called at every look. */
  look(): void {
    const now = performance.now();
    if (this.session.isPaused) this.#stood_ms += now - this.#looked;
    this.#looked = now;
  }

  /** Repeats the work, which must be such as can be repeated, for as long as it meets nothing but an outage. */
  async wait<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal, longest_ms = PATIENCE_MS } = this.options;
    const began = performance.now();
    for (let failures = 0; ; failures++) {
      try {
        const result = await work();
        if (failures > 0) this.#stoodSince(began);
        return result;
      } catch (error) {
        const isPassing = error instanceof DeployError && PASSING.includes(error.code);
        if (!isPassing || performance.now() - began > longest_ms) throw error;
        if (failures === 0) this.session.log('warn', `${error.message} This is waited out.`);
      }
      await sleep(RETRY_MS, undefined, { signal });
    }
  }

  /** In a pause that time has been, or will be, counted anyway. */
  #stoodSince(began: number): void {
    if (this.session.isPaused) return;
    this.#stood_ms += performance.now() - began;
    this.#looked = performance.now();
  }
}
