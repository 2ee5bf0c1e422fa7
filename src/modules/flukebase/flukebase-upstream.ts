/** The one way of this process to FlukeBase: asks through the circuit breaker, and keeps what is known of the other side. */
import { Injectable, Logger } from '@nestjs/common';
import {
  breakerState,
  callAbandoned,
  callBegun,
  callEnded,
  FRESH_UPSTREAM,
  hasAcceptedSince,
  hold,
  isBack,
  sendSingles,
  takesBatches,
  waitBefore,
  type CallOutcome,
  type Upstream,
} from '../../domain/flukebase-upstream.js';
import { DELIVERY_RULE } from '../../domain/flukebase-lane.js';
import { outcomeOf, verdictOn, type FlukeBaseRoute, type FlukeBaseVerdict } from '../../domain/flukebase-verdict.js';
import { FlukeBaseStore, type FlukeBaseReply, type RefusedEntry, type UpstreamReport } from '../../domain/ports.js';

/** `later`: nothing may be sent now, and nothing was. */
export type Verdict = FlukeBaseVerdict | { readonly kind: 'later' };

export interface Told {
  readonly verdict: Verdict;
  readonly refused: readonly RefusedEntry[];
}

@Injectable()
export class FlukeBaseUpstream {
  readonly #logger = new Logger('FlukeBase');
  #known = FRESH_UPSTREAM;
  /** Why somebody must look after it, by the route that was refused. */
  readonly #alerts = new Map<FlukeBaseRoute | 'all', string>();
  #reported: UpstreamReport | undefined;
  #reporting = Promise.resolve();

  constructor(private readonly store: FlukeBaseStore) {}

  /** Milliseconds for which nothing may be sent. */
  get wait(): number {
    return waitBefore(this.#known, Date.now());
  }

  get takesBatches(): boolean {
    return takesBatches(this.#known, Date.now());
  }

  get report(): UpstreamReport {
    const breaker = breakerState(this.#known, Date.now());
    const [paused] = this.#alerts.values();
    return { breaker, ...(paused !== undefined && { paused }) };
  }

  hasAcceptedSince(at: string | undefined): boolean {
    return hasAcceptedSince(this.#known, at === undefined ? undefined : Date.parse(at));
  }

  /** @throws the reason of the signal that the request was given */
  async ask(route: FlukeBaseRoute, size: number, request: () => Promise<FlukeBaseReply>): Promise<Told> {
    // Looked at here, and not only by those who ask: several may have waited for the one probe.
    if (this.wait > 0) return { verdict: { kind: 'later' }, refused: [] };
    this.#known = callBegun(this.#known);
    let reply: FlukeBaseReply;
    try {
      reply = await request();
    } catch (error) {
      this.#known = callAbandoned(this.#known);
      throw error;
    }
    const verdict = verdictOn(reply, route, size);
    await this.#learn(outcomeOf(reply, size), verdict, route);
    return { verdict, refused: (reply.kind === 'accepted' && reply.refused) || [] };
  }

  async #learn(outcome: CallOutcome, verdict: FlukeBaseVerdict, route: FlukeBaseRoute): Promise<void> {
    const now = Date.now();
    const before = this.#known;
    this.#known = callEnded(this.#known, now, outcome);
    switch (verdict.kind) {
      case 'done':
        // Another route may still be refused.
        this.#alerts.delete(route);
        this.#alerts.delete('all');
        break;
      case 'again':
        if (verdict.retry_after_ms !== undefined) {
          const ms = Math.min(verdict.retry_after_ms, DELIVERY_RULE.longest_ms);
          this.#known = hold(this.#known, now, ms, verdict.error);
        }
        break;
      case 'paused': {
        const refused = verdict.everything ? 'all' : route;
        if (this.#alerts.get(refused) !== verdict.error) this.#logger.error(`Nothing can be told: ${verdict.error}`);
        this.#alerts.set(refused, verdict.error);
        if (verdict.everything) this.#known = hold(this.#known, now, DELIVERY_RULE.pause_ms, verdict.error);
        break;
      }
      case 'singles':
        this.#known = sendSingles(this.#known, now, DELIVERY_RULE.singles_ms);
        this.#logger.warn(`Entries are sent one by one for a while: ${verdict.error}`);
        break;
      case 'split':
      case 'dead':
        break;
    }
    await this.#tell(before, verdict);
  }

  /** People ask any process how it stands: what this one has learnt is kept where all can see it. */
  async #tell(before: Upstream, verdict: FlukeBaseVerdict): Promise<void> {
    if (before.open === undefined && this.#known.open !== undefined) {
      this.#logger.warn(
        `FlukeBase fails, and is left in peace for a while: ${'error' in verdict ? verdict.error : ''}`,
      );
    }
    await this.#reportNews();
    if (!isBack(before, this.#known)) return;
    this.#logger.log('FlukeBase is back');
    await this.store.hurry();
  }

  /** One after another: of two at once, the older one could be written last, and stay. */
  #reportNews(): Promise<void> {
    const reported = this.#reporting.then(async () => {
      const { report } = this;
      if (report.breaker === this.#reported?.breaker && report.paused === this.#reported.paused) return;
      await this.store.tell(report);
      this.#reported = report;
    });
    this.#reporting = reported.catch(() => undefined);
    return reported;
  }
}
