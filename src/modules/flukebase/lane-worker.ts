/** Works on one lane that is held: one step after another, each kept before the next begins. */
import { Injectable, Logger } from '@nestjs/common';
import { deadRanges } from '../../domain/dead-ranges.js';
import { batchSent, nextBatch } from '../../domain/flukebase-batch.js';
import {
  afterFailure,
  batchOver,
  DELIVERY_RULE,
  nextStep,
  settled,
  type LaneState,
  type StateStep,
} from '../../domain/flukebase-lane.js';
import { toEntry } from '../../domain/log-entry.js';
import { isFinal } from '../../domain/phases.js';
import { FlukeBase, FlukeBaseStore, type DeadLetter, type DeploymentNow, type LaneClaim } from '../../domain/ports.js';
import { FlukeBaseOptions } from './flukebase-options.js';
import { FlukeBaseUpstream } from './flukebase-upstream.js';
import { LogSender, type SendingFailure } from './log-sender.js';
import { ROUTES, tellingOf, type Telling } from './telling.js';

/** Then others have their turn. */
const MOST_STEPS = 5;
/** Longer than a request and what comes before its lease is renewed: when a process dies, its lanes are free so soon. */
export const LEASE_MS = 20_000;
const RENEW_MS = 5_000;

/** What a step left: whether there may be another one. */
type Stepped = { readonly goes_on: true; readonly state: LaneState } | { readonly goes_on: false };
const OVER: Stepped = { goes_on: false };

interface GivenUp {
  readonly letters: readonly DeadLetter[];
  readonly state: LaneState;
}

@Injectable()
export class LaneWorker {
  readonly #logger = new Logger('FlukeBase');
  #isClosed = false;

  constructor(
    private readonly store: FlukeBaseStore,
    private readonly flukebase: FlukeBase,
    private readonly upstream: FlukeBaseUpstream,
    private readonly sender: LogSender,
    private readonly options: FlukeBaseOptions,
  ) {}

  /** Lanes are given back after the step they are at. */
  close(): void {
    this.#isClosed = true;
  }

  /** Until the lane rests, waits, or is lost to another process. */
  async work(claim: LaneClaim, signal: AbortSignal): Promise<void> {
    let { state } = claim;
    try {
      for (let steps = 0; ; steps++) {
        const is_turn_over = this.#isClosed || steps === MOST_STEPS;
        const ms = is_turn_over ? 0 : this.upstream.wait;
        if (ms > 0 || is_turn_over) {
          await this.store.save(claim, state, { kind: 'wait', ms });
          return;
        }
        const stepped = await this.#step(claim, state, signal);
        if (!stepped.goes_on) return;
        ({ state } = stepped);
      }
    } catch (error) {
      // Stopped in the middle: the next process does it again, under the same keys.
      if (!signal.aborted) throw error;
      await this.store.release(claim);
    }
  }

  async #step(held: LaneClaim, state: LaneState, signal: AbortSignal): Promise<Stepped> {
    const now = await this.store.deployment(held.deployment_id);
    if (now === undefined) return this.#rest(held, { ...state, done: held.head });
    const claim = upToDate(held, now);
    const telling = tellingOf(claim.channel, now.state, this.options.origin);
    const { digest, is_adopted } = telling;
    const present = { digest, is_adopted, is_final: isFinal(now.state.status) };
    const step = nextStep(claim.channel, state, claim.head, present);
    switch (step) {
      case 'rest':
        return this.#rest(claim, { ...state, done: Math.max(state.done, claim.head) });
      case 'logs':
        return this.#sendLogs(claim, state, signal);
      case 'summary':
      case 'create_task':
      case 'change_task':
        return this.#sendState(claim, state, step, telling, signal);
    }
  }

  async #sendState(
    claim: LaneClaim,
    state: LaneState,
    step: StateStep,
    telling: Telling,
    signal: AbortSignal,
  ): Promise<Stepped> {
    const { task_id } = telling;
    const digest = telling.digestOf(step);
    const call = { idempotency_key: `${claim.deployment_id}-${claim.channel}-${state.version}-${digest}`, signal };
    const { verdict } = await this.upstream.ask(ROUTES[step], 1, () => telling.send(this.flukebase, step, call));
    const giveUp = (error: string): GivenUp => {
      const kind = step === 'summary' ? 'deployment' : 'task';
      const letters = [{ kind, first_sequence: claim.head, last_sequence: claim.head, error } as const];
      return { letters, state: settled(state, telling.digest) };
    };
    switch (verdict.kind) {
      case 'done':
        return this.#keep(claim, settled(state, digest, step === 'summary' ? undefined : task_id));
      case 'again':
      case 'paused':
      case 'later':
        return this.#failed(claim, state, verdict, giveUp);
      case 'split':
      case 'singles':
      case 'dead': {
        const given = giveUp(verdict.error);
        return this.#keep(claim, given.state, given.letters);
      }
    }
  }

  async #sendLogs(claim: LaneClaim, state: LaneState, signal: AbortSignal): Promise<Stepped> {
    const until = state.batch_end ?? claim.head;
    const stored = await this.store.entries(claim.deployment_id, state.done, until, DELIVERY_RULE.batch_entries);
    const begun = nextBatch(state, stored, (row) => Buffer.byteLength(JSON.stringify(toEntry(row))));
    if (begun === undefined) {
      const gone = `Entries ${state.done + 1} to ${until} of ${claim.deployment_id}`;
      this.#logger.warn(`${gone} were deleted before FlukeBase could be told`);
      return this.#keep(claim, batchOver(state, until));
    }
    const { rows, end } = begun;
    const sending: LaneState = { ...state, batch_end: end };
    if (state.batch_end === undefined && !(await this.#save(claim, sending))) return OVER;

    const { missing, dead, failure } = await this.sender.send(rows.map(toEntry), signal, this.#renewal(claim, sending));
    const letters = deadRanges(dead);
    const sent = rows.map(({ sequence }) => sequence);
    const remaining = batchSent(sending, end, sent, missing);
    if (failure === undefined) return this.#keep(claim, remaining, letters);

    const giveUp = (error: string, everything: boolean): GivenUp => {
      if (!everything) {
        const given = deadRanges(missing.map((sequence) => ({ sequence, error })));
        return { letters: given, state: batchSent(remaining, end, missing, []) };
      }
      const waiting = { kind: 'log', first_sequence: missing[0] ?? end, last_sequence: claim.head, error } as const;
      return { letters: [waiting], state: batchOver(state, claim.head) };
    };
    return this.#failed(claim, remaining, failure, giveUp, letters);
  }

  /** Waits and tries again, or gives up what is left of the step. */
  async #failed(
    claim: LaneClaim,
    state: LaneState,
    failure: SendingFailure,
    giveUp: (error: string, everything: boolean) => GivenUp,
    letters: readonly DeadLetter[] = [],
  ): Promise<Stepped> {
    switch (failure.kind) {
      case 'later':
        return this.#wait(claim, state, this.upstream.wait, letters);
      case 'paused':
        return this.#wait(claim, { ...state, last_error: failure.error }, DELIVERY_RULE.pause_ms, letters);
      case 'again': {
        const outcome = afterFailure(state, {
          ...failure,
          now: Date.now(),
          random: Math.random(),
          own_fault: !failure.is_asked && this.upstream.hasAcceptedSince(state.failed_at),
        });
        if (outcome.kind === 'again') return this.#wait(claim, outcome.state, outcome.wait_ms, letters);
        const given = giveUp(outcome.error, outcome.everything);
        return this.#keep(claim, given.state, [...letters, ...given.letters]);
      }
    }
  }

  async #keep(claim: LaneClaim, state: LaneState, letters: readonly DeadLetter[] = []): Promise<Stepped> {
    return (await this.#save(claim, state, letters)) ? { goes_on: true, state } : OVER;
  }

  async #wait(claim: LaneClaim, state: LaneState, ms: number, letters: readonly DeadLetter[]): Promise<Stepped> {
    if (await this.store.save(claim, state, { kind: 'wait', ms }, letters)) this.#tellDead(claim, letters);
    return OVER;
  }

  async #rest(claim: LaneClaim, state: LaneState): Promise<Stepped> {
    await this.store.save(claim, state, { kind: 'rest' });
    return OVER;
  }

  async #save(claim: LaneClaim, state: LaneState, letters: readonly DeadLetter[] = []): Promise<boolean> {
    const is_kept = await this.store.save(claim, state, { kind: 'keep', lease_ms: LEASE_MS }, letters);
    if (is_kept) this.#tellDead(claim, letters);
    return is_kept;
  }

  /** A batch that is taken apart makes many requests: the lease is renewed on the way. */
  #renewal(claim: LaneClaim, state: LaneState): () => Promise<boolean> {
    let renewed = performance.now();
    return async () => {
      if (performance.now() - renewed < RENEW_MS) return true;
      renewed = performance.now();
      return this.#save(claim, state);
    };
  }

  #tellDead({ deployment_id }: LaneClaim, letters: readonly DeadLetter[]): void {
    for (const { kind, first_sequence, last_sequence, error } of letters) {
      const what = kind === 'log' ? `entries ${first_sequence} to ${last_sequence}` : `the ${kind}`;
      this.#logger.warn(`FlukeBase is not told ${what} of ${deployment_id}: ${error}`);
    }
  }
}

/** An end that is known before its last entries are found must not be told before them. */
function upToDate(claim: LaneClaim, { sequence }: DeploymentNow): LaneClaim {
  return claim.channel === 'replay' ? claim : { ...claim, head: Math.max(claim.head, sequence) };
}
