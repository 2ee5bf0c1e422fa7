/** What a load saw, from the single results of its process: counts, failures, versions and latencies, as a whole and phase by phase. */

/** `slow` answers after a while, `stream` over a while; `post` uses the connections of `keep_alive`. */
export const REQUEST_KINDS = ['keep_alive', 'fresh', 'post', 'slow', 'stream'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];
export type TrafficKind = RequestKind | 'web_socket';

export type FailureKind =
  /** No connection came about. */
  | 'connection_refused'
  /** The certificate is of an unknown authority, of another name, or out of date. */
  | 'untrusted_certificate'
  /** A new connection broke before the answer began. */
  | 'connection_reset'
  /** The same on a connection that had carried an answer before: it was closed under the request. */
  | 'keep_alive_closed'
  /** The answer was not complete in time. */
  | 'timed_out'
  | 'server_error'
  /** Neither 200 nor 5xx. */
  | 'unexpected_status'
  /** The answer began and broke off. */
  | 'truncated'
  /** The answer is complete and not the one that was asked for, or names no version. */
  | 'wrong_body'
  /** The handshake of a WebSocket failed. */
  | 'web_socket_refused'
  /** A WebSocket was closed that should have stayed open. */
  | 'web_socket_closed'
  /** A message had no echo: not in time, or the WebSocket was closed and the message cannot have crossed that. */
  | 'web_socket_no_echo'
  /** An echo of something else, or out of order. */
  | 'web_socket_wrong_echo';

/** One request, message or handshake that has come to its end. Times are those of `monotonic`. */
export interface Sample {
  readonly traffic: TrafficKind;
  /** When it was due, whether or not it could be sent right then. */
  readonly begun: number;
  readonly ms: number;
  /** Where the answer named one. */
  readonly version?: string;
  /** Sent on a connection that had carried an answer before. */
  readonly reused?: boolean;
  readonly failure?: { readonly kind: FailureKind; readonly expected: string; readonly detail: string };
}

/** A WebSocket that was closed by the other side. */
export interface WebSocketClose {
  /** When, in `monotonic`. */
  readonly at: number;
  /** 1006: without a close frame. */
  readonly code: number;
  readonly open_ms: number;
  /** Messages that were on their way and are sent again. */
  readonly resent: number;
  readonly allowed: boolean;
}

export interface TrafficFailure {
  /** ISO 8601, when it became known. */
  readonly at: string;
  readonly phase: string;
  readonly traffic: TrafficKind;
  readonly kind: FailureKind;
  readonly expected: string;
  readonly detail: string;
  readonly version?: string;
}

/** Milliseconds, of the successful requests that are not slow on purpose. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface TrafficCounts {
  /** Requests, WebSocket messages and handshakes that have ended. */
  readonly total: number;
  readonly failed: number;
  readonly by_kind: Readonly<Partial<Record<FailureKind, number>>>;
  readonly by_traffic: Readonly<Partial<Record<TrafficKind, number>>>;
  /** Answers to requests, failed ones included. WebSockets stay where they are and tell nothing of where traffic goes. */
  readonly by_version: Readonly<Record<string, number>>;
  readonly latency: Latency;
}

export interface TrafficReport extends TrafficCounts {
  /** The first ones; all are counted. */
  readonly failures: readonly TrafficFailure[];
  /** What began between one mark and the next; the first phase is `start`. */
  readonly phases: readonly (TrafficCounts & { readonly name: string; readonly began: number })[];
  /** Answers by version of each second. */
  readonly timeline: readonly Readonly<Record<string, number>>[];
  /** Requests of `keep_alive` and `post` that found an open connection, and those that had to open one. */
  readonly connections: { readonly reused: number; readonly opened: number };
  /** All that were not closed by the load itself. */
  readonly web_socket_closes: readonly WebSocketClose[];
}

export interface Mark {
  readonly name: string;
  readonly at: number;
}

const KEPT_FAILURES = 100;
const DELIBERATELY_SLOW: readonly TrafficKind[] = ['slow', 'stream', 'web_socket'];

/** Milliseconds of a clock that all processes of this machine share and nobody sets. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** @param marks in order, the first one being the beginning */
export function trafficReport(
  samples: readonly Sample[],
  marks: readonly Mark[],
  closes: readonly WebSocketClose[],
): TrafficReport {
  const phaseOf = ({ begun }: Sample): number =>
    Math.max(
      0,
      marks.findLastIndex(({ at }) => at <= begun),
    );
  const phases = Map.groupBy(samples, phaseOf);
  const failed = samples.filter(({ failure }) => failure !== undefined);
  const pooled = samples.filter(({ traffic }) => traffic === 'keep_alive' || traffic === 'post');
  return {
    ...counts(samples),
    failures: failed.slice(0, KEPT_FAILURES).map((sample) => described(sample, marks[phaseOf(sample)]?.name ?? '')),
    phases: marks.map(({ name, at }, index) => ({ name, began: at, ...counts(phases.get(index) ?? []) })),
    timeline: timeline(samples, marks[0]?.at ?? 0),
    connections: {
      reused: pooled.filter(({ reused }) => reused).length,
      opened: pooled.filter(({ reused }) => reused === false).length,
    },
    web_socket_closes: closes,
  };
}

/** Answers by version, of the requests that began from `since` on. */
export function versions(samples: readonly Sample[], since = -Infinity): Record<string, number> {
  return countBy(
    samples.filter(({ begun, traffic }) => begun >= since && traffic !== 'web_socket'),
    ({ version }) => version,
  );
}

function counts(samples: readonly Sample[]): TrafficCounts {
  return {
    total: samples.length,
    failed: samples.filter(({ failure }) => failure !== undefined).length,
    by_kind: countBy(samples, ({ failure }) => failure?.kind),
    by_traffic: countBy(samples, ({ traffic }) => traffic),
    by_version: versions(samples),
    latency: latency(samples),
  };
}

function latency(samples: readonly Sample[]): Latency {
  const counted = samples.filter(({ failure, traffic }) => !failure && !DELIBERATELY_SLOW.includes(traffic));
  const sorted = Float64Array.from(counted, ({ ms }) => ms).sort();
  const quantile = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), max: quantile(1) };
}

function timeline(samples: readonly Sample[], began: number): Record<string, number>[] {
  const second = ({ begun }: Sample): number => Math.max(0, Math.floor((begun - began) / 1_000));
  const seconds = Map.groupBy(samples, second);
  const length = samples.reduce((last, sample) => Math.max(last, second(sample) + 1), 0);
  return Array.from({ length }, (_, index) => versions(seconds.get(index) ?? []));
}

function described({ begun, ms, traffic, version, failure }: Sample, phase: string): TrafficFailure {
  const at = new Date(Date.now() - (monotonic() - begun - ms)).toISOString();
  const { kind, expected, detail } = failure!;
  return { at, phase, traffic, kind, expected, detail, ...(version !== undefined && { version }) };
}

function countBy<Key extends string>(
  samples: readonly Sample[],
  key: (sample: Sample) => Key | undefined,
): Record<Key, number> {
  const found: Partial<Record<Key, number>> = {};
  for (const sample of samples) {
    const name = key(sample);
    if (name !== undefined) found[name] = (found[name] ?? 0) + 1;
  }
  return found as Record<Key, number>;
}
