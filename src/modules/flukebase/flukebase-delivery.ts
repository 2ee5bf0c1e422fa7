/** Keeps some lanes under way at the same time: each is held by one process, so that a deployment is told in order. */
import { Injectable, Logger } from '@nestjs/common';
import { FlukeBaseStore, type LaneClaim } from '../../domain/ports.js';
import { FlukeBaseUpstream } from './flukebase-upstream.js';
import { LaneWorker, LEASE_MS } from './lane-worker.js';

const PAGE_ENTRIES = 5_000;
/** Lanes that this process works on at the same time. */
const MOST_LANES = 8;
/** Of them, those that the present has for itself, whatever is backfilled. */
const LIVE_LANES = 2;

@Injectable()
export class FlukeBaseDelivery {
  readonly #logger = new Logger('FlukeBase');
  readonly #lanes = new Set<Promise<void>>();
  #filling: Promise<void> | undefined;
  #isAsked = false;
  #isClosed = false;

  constructor(
    private readonly store: FlukeBaseStore,
    private readonly upstream: FlukeBaseUpstream,
    private readonly worker: LaneWorker,
  ) {}

  /** Finds what is new in the log, and begins with what is due; none of it is waited for. */
  async round(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.store.discover(PAGE_ENTRIES))) await this.#fill(signal);
    await this.#fill(signal);
  }

  /** No other lane is begun, and those under way end after the step they are at. */
  close(): void {
    this.#isClosed = true;
    this.worker.close();
  }

  /** Resolves when no lane is under way any more. */
  async settled(): Promise<void> {
    await this.#filling?.catch(() => undefined);
    await Promise.all(this.#lanes);
  }

  /** Many calls at once are one, and one more after it. */
  async #fill(signal: AbortSignal): Promise<void> {
    this.#isAsked = true;
    this.#filling ??= this.#fillAll(signal).finally(() => (this.#filling = undefined));
    await this.#filling;
  }

  async #fillAll(signal: AbortSignal): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      while (!this.#isClosed && !signal.aborted && this.#lanes.size < MOST_LANES && this.upstream.wait === 0) {
        const claim = await this.store.claim(LEASE_MS, this.#lanes.size < MOST_LANES - LIVE_LANES);
        if (claim === undefined) break;
        this.#begin(claim, signal);
      }
    }
  }

  #begin(claim: LaneClaim, signal: AbortSignal): void {
    const lane = this.worker
      .work(claim, signal)
      .catch((error: unknown) =>
        // How far it came is not kept: when the lease has run out, it goes on from there.
        this.#logger.warn(`What FlukeBase was told of ${claim.deployment_id} could not be kept: ${String(error)}`),
      )
      .finally(() => {
        this.#lanes.delete(lane);
        if (!this.#isClosed) this.#fill(signal).catch(() => undefined);
      });
    this.#lanes.add(lane);
  }
}
