/** What is known of FlukeBase as a whole: a circuit breaker, and holds that it asked for. Pure: the time comes in. */

export const BREAKER_RULE = {
  window_ms: 30_000,
  /** Fewer calls than these in the window say nothing. */
  least_calls: 10,
  failed_share: 0.5,
  /** How long it stays open first; doubled for each probe that fails. */
  first_open_ms: 5_000,
  longest_open_ms: 60_000,
} as const;

const BUCKET_MS = 1_000;

export type BreakerState = 'closed' | 'open' | 'half_open';

interface Bucket {
  /** Second in which the calls ended. */
  readonly second: number;
  readonly calls: number;
  readonly failed: number;
}

/** Times are milliseconds since the epoch. */
export interface Upstream {
  readonly recent: readonly Bucket[];
  /** Set while it is not closed. */
  readonly open?: { readonly until: number; readonly times: number; readonly probing: boolean };
  /** Nothing is sent before. */
  readonly held?: { readonly until: number; readonly reason: string };
  /** Batches are not tried before: it had no such route. */
  readonly singles_until?: number;
  readonly accepted_at?: number;
  /** Calls that have failed since the last one that passed. */
  readonly failed_in_a_row: number;
}

export const FRESH_UPSTREAM: Upstream = { recent: [], failed_in_a_row: 0 };

/** So many calls that fail one after another are an outage: what waits because of it is tried as soon as it is over. */
const OUTAGE_CALLS = 5;

/** `taken`: it has what was sent, or a part of it. `passed`: it answered as one that works, and took nothing. `failed`: it did not. */
export type CallOutcome = 'taken' | 'passed' | 'failed';

export function breakerState({ open }: Upstream, now: number): BreakerState {
  if (open === undefined) return 'closed';
  return open.probing || now >= open.until ? 'half_open' : 'open';
}

/** For how long nothing may be sent; 0 = now. While a probe is under way nobody knows: look again soon. */
export function waitBefore({ open, held }: Upstream, now: number): number {
  const forHold = held === undefined ? 0 : held.until - now;
  const forBreaker = open === undefined ? 0 : open.probing ? BUCKET_MS : open.until - now;
  return Math.max(0, forHold, forBreaker);
}

/** A call begins: the first one while it is half open is the probe. */
export function callBegun(upstream: Upstream): Upstream {
  return upstream.open === undefined ? upstream : { ...upstream, open: { ...upstream.open, probing: true } };
}

export function callEnded(upstream: Upstream, now: number, outcome: CallOutcome): Upstream {
  const passed = outcome !== 'failed';
  const failed_in_a_row = passed ? 0 : upstream.failed_in_a_row + 1;
  const { open, ...closed } = { ...upstream, failed_in_a_row, ...(outcome === 'taken' && { accepted_at: now }) };
  if (open?.probing) return passed ? { ...closed, recent: [] } : { ...closed, open: opened(now, open.times + 1) };
  const recent = counted(upstream.recent, now, outcome);
  const after = { ...closed, recent, ...(open && { open }) };
  if (upstream.open !== undefined || !isFailing(recent)) return after;
  return { ...after, open: opened(now, 1) };
}

/** The probe was broken off and says nothing. */
export function callAbandoned(upstream: Upstream): Upstream {
  return upstream.open === undefined ? upstream : { ...upstream, open: { ...upstream.open, probing: false } };
}

export function hold(upstream: Upstream, now: number, ms: number, reason: string): Upstream {
  const until = Math.max(now + ms, upstream.held?.until ?? 0);
  return { ...upstream, held: { until, reason } };
}

export function sendSingles(upstream: Upstream, now: number, ms: number): Upstream {
  return { ...upstream, singles_until: now + ms };
}

export function takesBatches({ singles_until = 0 }: Upstream, now: number): boolean {
  return now >= singles_until;
}

/** Whether an outage has ended between the two. */
export function isBack(before: Upstream, after: Upstream): boolean {
  return before.failed_in_a_row >= OUTAGE_CALLS && after.failed_in_a_row === 0;
}

/** Whether it has taken something since, so that what it does not take is to blame itself. */
export function hasAcceptedSince({ accepted_at }: Upstream, since: number | undefined): boolean {
  return accepted_at !== undefined && since !== undefined && accepted_at > since;
}

function opened(now: number, times: number): NonNullable<Upstream['open']> {
  const { first_open_ms, longest_open_ms } = BREAKER_RULE;
  return { until: now + Math.min(first_open_ms * 2 ** (times - 1), longest_open_ms), times, probing: false };
}

function counted(recent: readonly Bucket[], now: number, outcome: CallOutcome): Bucket[] {
  const second = Math.floor(now / BUCKET_MS);
  const kept = recent.filter((bucket) => bucket.second > second - BREAKER_RULE.window_ms / BUCKET_MS);
  const failed = outcome === 'failed' ? 1 : 0;
  const last = kept.at(-1);
  if (last?.second !== second) return [...kept, { second, calls: 1, failed }];
  return [...kept.slice(0, -1), { second, calls: last.calls + 1, failed: last.failed + failed }];
}

function isFailing(recent: readonly Bucket[]): boolean {
  const calls = recent.reduce((sum, bucket) => sum + bucket.calls, 0);
  const failed = recent.reduce((sum, bucket) => sum + bucket.failed, 0);
  return calls >= BREAKER_RULE.least_calls && failed >= calls * BREAKER_RULE.failed_share;
}
