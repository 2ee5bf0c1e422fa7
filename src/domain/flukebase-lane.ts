/** How far a lane is, what it sends next, and what becomes of it when that fails. Pure: time and luck come in. */
import { fullJitter } from './full-jitter.js';

/** `log`: a deployment's summaries and entries. `task`: its WeDo task. `replay`: entries that were given up before. */
export type LaneChannel = 'log' | 'task' | 'replay';

/** Bounds of what is sent at once and of how long it is tried. */
export const DELIVERY_RULE = {
  batch_entries: 100,
  batch_bytes: 512 * 1024,
  first_ms: 500,
  longest_ms: 300_000,
  /** Failures, while FlukeBase took other things, after which it is given up. */
  most_strikes: 12,
  /** From these on a batch is halved at each strike, so that what is wrong with it ends up alone. */
  halving_strikes: 4,
  /** Time of failing after which it is given up in any case. */
  give_up_ms: 86_400_000,
  /** How long nothing is tried after FlukeBase refused the token or had no such route. */
  pause_ms: 20_000,
  /** How long entries go one by one after FlukeBase had no route for batches. */
  singles_ms: 600_000,
} as const;

/** What is kept of a lane between two requests. */
export interface LaneState {
  /** Everything up to this sequence has been told or given up. */
  readonly done: number;
  /** End of the batch that was begun: it has the same entries, and so the same key, at every attempt. */
  readonly batch_end?: number;
  /** Of that batch, what is left after FlukeBase has taken a part; absent = nothing was taken. */
  readonly missing?: readonly number[];
  /** Counts the summaries or task states that were settled: one that is told again later is not the same. */
  readonly version: number;
  /** Fingerprint of the last one. */
  readonly digest?: string;
  /** The WeDo task, once there is one. */
  readonly task_id?: string;
  /** Failures in a row. */
  readonly attempts: number;
  /** Of them, those that are its own fault. */
  readonly strikes: number;
  /** ISO 8601, of the first and of the last failure in a row. */
  readonly failing_since?: string;
  readonly failed_at?: string;
  readonly last_error?: string;
}

export const FRESH_LANE: LaneState = { done: 0, version: 0, attempts: 0, strikes: 0 };

/** Tells the deployment as it is now. */
export type StateStep = 'summary' | 'create_task' | 'change_task';
export type LaneStep = StateStep | 'logs' | 'rest';

/** What the deployment looks like now. */
export interface Present {
  /** Fingerprint of its summary, or of its task. */
  readonly digest: string;
  readonly is_final: boolean;
  /** Its task was named by the order: it is there already. */
  readonly is_adopted: boolean;
}

/** A final summary comes after all entries, every other one before the next entries. */
export function nextStep(channel: LaneChannel, state: LaneState, head: number, present: Present): LaneStep {
  const has_changed = state.digest !== present.digest;
  const has_entries = state.done < head;
  switch (channel) {
    case 'replay':
      return has_entries ? 'logs' : 'rest';
    case 'log':
      if (state.version === 0) return 'summary';
      if (has_changed && !(present.is_final && has_entries)) return 'summary';
      return has_entries ? 'logs' : 'rest';
    case 'task':
      if (!has_changed) return 'rest';
      return state.task_id === undefined && !present.is_adopted ? 'create_task' : 'change_task';
  }
}

/**
 * Something was taken: former failures are forgotten, but not for how long the rest of a batch is left behind. Else what is never taken
 * would be tried for ever, as long as something beside it is.
 */
export function recovered(state: LaneState): LaneState {
  const { done, batch_end, missing, version, digest, task_id, failing_since } = state;
  return {
    done,
    version,
    attempts: 0,
    strikes: 0,
    ...(batch_end !== undefined && { batch_end }),
    ...(missing !== undefined && { missing }),
    ...(missing !== undefined && failing_since !== undefined && { failing_since }),
    ...(digest !== undefined && { digest }),
    ...(task_id !== undefined && { task_id }),
  };
}

/** The summary or task state of this fingerprint is told or given up. */
export function settled(state: LaneState, digest: string, taskId?: string): LaneState {
  const task_id = taskId ?? state.task_id;
  return { ...recovered(state), version: state.version + 1, digest, ...(task_id !== undefined && { task_id }) };
}

/** The batch that was begun is over. */
export function batchOver(state: LaneState, done: number): LaneState {
  const { batch_end: _end, missing: _missing, failing_since: _since, ...rest } = recovered(state);
  return { ...rest, done };
}

export interface FailedAttempt {
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
  readonly retry_after_ms?: number;
  /** FlukeBase has taken other things since this lane failed last, and did not ask it to wait. */
  readonly own_fault: boolean;
}

export type AfterFailure =
  | { readonly kind: 'again'; readonly state: LaneState; readonly wait_ms: number }
  /** `everything`: it failed for so long that all that waits in the lane is given up, and not only what was sent. */
  | { readonly kind: 'give_up'; readonly error: string; readonly everything: boolean };

export function afterFailure(state: LaneState, failure: FailedAttempt): AfterFailure {
  const { error, now, random, retry_after_ms = 0, own_fault } = failure;
  const { most_strikes, halving_strikes, give_up_ms } = DELIVERY_RULE;
  const attempts = state.attempts + 1;
  const strikes = state.strikes + (own_fault ? 1 : 0);
  const at = new Date(now).toISOString();
  const { failing_since = at } = state;
  const { batch_end, missing, ...kept } = state;
  // Where a part of a batch was taken, only what is left of it has failed for so long: what comes behind it was not tried.
  if (now - Date.parse(failing_since) >= give_up_ms)
    return { kind: 'give_up', error: `${error} It was tried for 24 hours.`, everything: missing === undefined };
  if (strikes >= most_strikes)
    return { kind: 'give_up', error: `${error} It was tried ${attempts} times.`, everything: false };
  // One that is cut smaller is another batch. Of one that was taken in part, the part must not come again.
  const is_kept = missing !== undefined || strikes < halving_strikes || strikes === state.strikes;
  return {
    kind: 'again',
    state: {
      ...kept,
      ...(is_kept && batch_end !== undefined && { batch_end }),
      ...(missing !== undefined && { missing }),
      attempts,
      strikes,
      failing_since,
      failed_at: at,
      last_error: error,
    },
    wait_ms: fullJitter(DELIVERY_RULE, attempts, random, retry_after_ms),
  };
}
