/** Whether a canary is worse than the stable version: the verdict over what the edge saw of both in the same time. Pure. */
import { leastExcess, rankBounds } from './confidence.js';
import type { RequestSample } from './edge-ports.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { AnalysisRules } from './strategy.js';

export interface VersionMetrics {
  readonly requests: number;
  /** Answers with 5xx. */
  readonly server_errors: number;
  readonly histogram: LatencyHistogram;
}

export interface Judgement {
  readonly kind: 'pass' | 'fail' | 'inconclusive';
  /** Sentences with the numbers that decided. */
  readonly reason: string;
  /** What each version did, one line each. */
  readonly evidence: readonly string[];
}

interface Comparison {
  readonly worse: boolean;
  readonly sentence: string;
}

/** A quantile with fewer requests beyond it is the luck of one or two of them. */
const FEWEST_BEYOND = 5;
/** 100 × (1 - 0.95) is a little less than 5. */
const ROUNDING = 1e-9;
const MEDIAN = 0.5;
/**
 * A stable version with few requests may have more errors than were seen, but hardly more than this share of them: it was good enough
 * to stay. So a canary that is plainly broken fails even where it gets nearly all requests, and an ordinary one does not.
 */
const MOST_UNSEEN_ERRORS = 0.1;

/** What the edge saw of both versions since the step began. */
export class CanaryMeasurements {
  #step = 0;
  #stable = new Tally();
  #canary = new Tally();

  /** Forgets what was: with another weight both versions carry another load. */
  begin(step: number): void {
    this.#step = step;
    this.#stable = new Tally();
    this.#canary = new Tally();
  }

  add({ version, status, duration_ms }: RequestSample): void {
    (version === 'canary' ? this.#canary : this.#stable).add(status, duration_ms);
  }

  get step(): number {
    return this.#step;
  }

  get stable(): VersionMetrics {
    return this.#stable;
  }

  get canary(): VersionMetrics {
    return this.#canary;
  }
}

class Tally implements VersionMetrics {
  requests = 0;
  server_errors = 0;
  readonly histogram = new LatencyHistogram();

  add(status: number, milliseconds: number): void {
    this.requests += 1;
    if (status >= 500) this.server_errors += 1;
    this.histogram.add(milliseconds);
  }
}

/** Fails a canary only for what chance does not explain: one unlucky request in fifty is 2 % of errors, and says nothing. */
export function judgeCanary(rules: AnalysisRules, stable: VersionMetrics, canary: VersionMetrics): Judgement {
  const evidence = [describe('canary', canary, rules), describe('stable', stable, rules)];
  if (canary.requests < rules.min_requests) {
    const reason = `The canary had ${canary.requests} of the ${rules.min_requests} requests that a verdict needs.`;
    return { kind: 'inconclusive', reason, evidence };
  }
  const comparisons = [compareErrors(rules, stable, canary), compareLatency(rules, stable, canary)];
  const faults = comparisons.filter(({ worse }) => worse);
  const decisive = faults.length > 0 ? faults : comparisons;
  return {
    kind: faults.length > 0 ? 'fail' : 'pass',
    reason: decisive.map(({ sentence }) => sentence).join(' '),
    evidence,
  };
}

function compareErrors(rules: AnalysisRules, stable: VersionMetrics, canary: VersionMetrics): Comparison {
  const allowed = rules.max_error_increase_percent;
  const least = 100 * leastIncrease(stable, canary);
  const worse = least > allowed;
  const other = stable.requests > 0 ? `${failures(stable)} of the stable version` : 'the stable version had none';
  const verdict = worse
    ? `at least ${rounded(least)} percentage points more, where ${allowed} may be`
    : 'within bounds';
  return { worse, sentence: `${failures(canary)} of the canary failed, ${other}: ${verdict}.` };
}

/** Without any request to the stable version it counts as one without errors. */
function leastIncrease(stable: VersionMetrics, canary: VersionMetrics): number {
  const failed = { part: canary.server_errors, whole: canary.requests };
  return stable.requests === 0
    ? leastExcess(failed, { part: 0, whole: 1 }, 0)
    : leastExcess(failed, { part: stable.server_errors, whole: stable.requests }, MOST_UNSEEN_ERRORS);
}

function compareLatency(rules: AnalysisRules, stable: VersionMetrics, canary: VersionMetrics): Comparison {
  const counts = [canary.histogram.count, stable.histogram.count] as const;
  const part = comparablePart(rules.latency_quantile, Math.min(...counts));
  if (part === undefined) {
    const [few, who] = counts[0] < counts[1] ? [counts[0], 'canary'] : [counts[1], 'stable version'];
    return { worse: false, sentence: `Latency was not compared: the ${who} had only ${few} requests.` };
  }
  const [canaryRanks, stableRanks] = rankBounds(part, counts);
  const least = canary.histogram.atRank(canaryRanks.low) ?? 0;
  const usual = stable.histogram.atRank(stableRanks.high) ?? 0;
  const worse = least > rules.max_latency_ratio * usual && least - usual > rules.latency_tolerance_ms;
  const [took, usually] = [canary, stable].map(({ histogram }) => rounded(histogram.quantile(part) ?? 0));
  const numbers = `${rounded(100 * part)} % of the canary's requests took up to ${took} ms, of the stable version's ${usually} ms`;
  const verdict = worse
    ? `at least ${rounded(least / usual)} times as long, where ${rules.max_latency_ratio} may be`
    : 'within bounds';
  return { worse, sentence: `${numbers}: ${verdict}.` };
}

/** The quantile itself, else the median, else none: as far as so few requests tell. */
function comparablePart(quantile: number, requests: number): number | undefined {
  return [quantile, MEDIAN].find((part) => requests * (1 - part) >= FEWEST_BEYOND - ROUNDING);
}

function describe(who: string, { requests, server_errors, histogram }: VersionMetrics, rules: AnalysisRules): string {
  const latency = [...new Set([MEDIAN, rules.latency_quantile])]
    .map((part) => `p${rounded(100 * part)} ${rounded(histogram.quantile(part) ?? 0)} ms`)
    .join(', ');
  return `${who}: ${requests} requests, ${server_errors} with 5xx` + (requests > 0 ? `, ${latency}` : '');
}

function failures({ requests, server_errors }: VersionMetrics): string {
  return `${server_errors} of ${requests} requests (${rounded((100 * server_errors) / requests)} %)`;
}

/** Three digits, as a person would say it. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
