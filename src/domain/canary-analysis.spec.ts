/** Bad canaries are found within a few hundred requests, and good ones are left alone however often they are looked at. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { check, NO_CHECKS } from './analysis-run.js';
import { CanaryMeasurements, judgeCanary, type Judgement } from './canary-analysis.js';
import type { RequestSample } from './edge-ports.js';
import { DEFAULT_ANALYSIS, type AnalysisRules } from './strategy.js';

const sample = (fields: Partial<RequestSample>): RequestSample => ({
  at: '2026-01-01T00:00:00.000Z',
  version: 'canary',
  status: 200,
  duration_ms: 100,
  ...fields,
});

interface Seen {
  readonly requests: number;
  readonly errors?: number;
  readonly duration_ms?: number;
}

function judged(stable: Seen, canary: Seen, rules: Partial<AnalysisRules> = {}): Judgement {
  const seen = new CanaryMeasurements();
  for (const [version, { requests, errors = 0, duration_ms = 100 }] of Object.entries({ stable, canary })) {
    for (let index = 0; index < requests; index += 1) {
      seen.add(
        sample({ version: version as RequestSample['version'], status: index < errors ? 502 : 200, duration_ms }),
      );
    }
  }
  return judgeCanary({ ...DEFAULT_ANALYSIS, ...rules }, seen.stable, seen.canary);
}

describe('the measurements of a step', () => {
  it('count the requests, 5xx and times of each version', () => {
    const seen = new CanaryMeasurements();
    for (const status of [200, 404, 499, 500, 503]) seen.add(sample({ status }));
    seen.add(sample({ version: 'stable', duration_ms: 40 }));
    expect(seen.canary).toMatchObject({ requests: 5, server_errors: 2 });
    expect(seen.stable).toMatchObject({ requests: 1, server_errors: 0 });
    expect(seen.stable.histogram.quantile(0.5)! / 40).toBeCloseTo(1, 1);
  });

  it('begin anew with each step', () => {
    const seen = new CanaryMeasurements();
    seen.add(sample({}));
    seen.begin(2);
    expect(seen.step).toBe(2);
    expect([seen.stable.requests, seen.canary.requests]).toEqual([0, 0]);
  });
});

describe('the verdict', () => {
  it.each<[string, Seen, Seen, Partial<AnalysisRules>, Judgement['kind']]>([
    [
      'none below the least requests, whatever happened',
      { requests: 500 },
      { requests: 49, errors: 49 },
      {},
      'inconclusive',
    ],
    ['equal versions', { requests: 450 }, { requests: 50 }, {}, 'pass'],
    ['one unlucky request in fifty', { requests: 450 }, { requests: 50, errors: 1 }, {}, 'pass'],
    ['one unlucky request without a stable version', { requests: 0 }, { requests: 50, errors: 1 }, {}, 'pass'],
    ['10 % of errors', { requests: 900 }, { requests: 100, errors: 10 }, {}, 'fail'],
    ['5 % of errors', { requests: 2_700 }, { requests: 300, errors: 15 }, {}, 'fail'],
    ['5 % of errors, as half of the requests', { requests: 400 }, { requests: 400, errors: 20 }, {}, 'fail'],
    ['the same 5 % on both sides', { requests: 900, errors: 45 }, { requests: 900, errors: 45 }, {}, 'pass'],
    [
      'as many more as are allowed',
      { requests: 9_000 },
      { requests: 1_000, errors: 50 },
      { max_error_increase_percent: 5 },
      'pass',
    ],
    ['many errors without a stable version', { requests: 0 }, { requests: 100, errors: 10 }, {}, 'fail'],
    [
      'nothing but errors, and hardly a request to the stable version',
      { requests: 1 },
      { requests: 60, errors: 60 },
      {},
      'fail',
    ],
    ['twice the latency', { requests: 900 }, { requests: 100, duration_ms: 200 }, {}, 'fail'],
    [
      'twice the latency of few requests, by the median',
      { requests: 450 },
      { requests: 50, duration_ms: 200 },
      {},
      'fail',
    ],
    ['allowed latency', { requests: 900 }, { requests: 100, duration_ms: 140 }, {}, 'pass'],
    [
      'twice a latency that hardly anybody feels',
      { requests: 900, duration_ms: 5 },
      { requests: 100, duration_ms: 20 },
      {},
      'pass',
    ],
    ['twice the latency of too few stable requests', { requests: 9 }, { requests: 100, duration_ms: 200 }, {}, 'pass'],
    ['a faster canary', { requests: 900 }, { requests: 100, duration_ms: 10 }, {}, 'pass'],
    ['a single request where that is enough', { requests: 0 }, { requests: 1 }, { min_requests: 1 }, 'pass'],
  ])('%s', (_, stable, canary, rules, kind) => {
    expect(judged(stable, canary, rules).kind).toBe(kind);
  });

  it.each<[string, Judgement, string]>([
    [
      'what is missing',
      judged({ requests: 9 }, { requests: 3 }),
      'The canary had 3 of the 50 requests that a verdict needs.',
    ],
    [
      'what failed',
      judged({ requests: 2_160 }, { requests: 240, errors: 24 }),
      '24 of 240 requests (10 %) of the canary failed, 0 of 2160 requests (0 %) of the stable version: ' +
        'at least 4.83 percentage points more, where 1 may be.',
    ],
    [
      'what took long',
      judged({ requests: 900 }, { requests: 100, duration_ms: 300 }),
      "95 % of the canary's requests took up to 290 ms, of the stable version's 102 ms: " +
        'at least 2.85 times as long, where 1.5 may be.',
    ],
    [
      'what was not compared',
      judged({ requests: 0 }, { requests: 50 }),
      '0 of 50 requests (0 %) of the canary failed, the stable version had none: within bounds. ' +
        'Latency was not compared: the stable version had only 0 requests.',
    ],
  ])('says %s', (_, { reason }, expected) => {
    expect(reason).toBe(expected);
  });

  it('shows what both versions did', () => {
    expect(judged({ requests: 900, errors: 1 }, { requests: 0 }).evidence).toEqual([
      'canary: 0 requests, 0 with 5xx',
      'stable: 900 requests, 1 with 5xx, p50 102 ms, p95 102 ms',
    ]);
  });

  it('tells both where errors and latency are bad', () => {
    const { reason } = judged({ requests: 900 }, { requests: 100, errors: 50, duration_ms: 500 });
    expect(reason).toMatch(/percentage points more.*times as long/);
  });
});

interface Behaviour {
  readonly errors: number;
  readonly median_ms: number;
  /** Of the logarithm of the times: 0.5 = one request in forty takes 2.7 times the median. */
  readonly spread: number;
}
const GOOD: Behaviour = { errors: 0, median_ms: 100, spread: 0.5 };

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Stream {
  readonly seed: number;
  readonly stable?: Partial<Behaviour>;
  readonly canary?: Partial<Behaviour>;
  /** Part of the requests that the canary gets. */
  readonly weight?: number;
  readonly checks?: number;
  readonly rules?: Partial<AnalysisRules>;
}

/** How many requests the canary had had when it was taken back; undefined where it was not. */
function abortedAfter({ seed, stable, canary, weight = 0.1, checks = 100, rules }: Stream): number | undefined {
  const random = randomNumbers(seed);
  const all = { ...DEFAULT_ANALYSIS, ...rules };
  const behaviours = { stable: { ...GOOD, ...stable }, canary: { ...GOOD, ...canary } };
  const seen = new CanaryMeasurements();
  let run = NO_CHECKS;
  for (let count = 0; count < checks; count += 1) {
    for (let request = 0; request < 10 / weight; request += 1) {
      const version = random() < weight ? 'canary' : 'stable';
      const { errors, median_ms, spread } = behaviours[version];
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const status = random() < errors ? 500 : 200;
      seen.add({ at: '', version, status, duration_ms: median_ms * Math.exp(spread * normal) });
    }
    const result = check(run, all, judgeCanary(all, seen.stable, seen.canary));
    if (result.decision === 'abort') return seen.canary.requests;
    run = result.run;
  }
  return undefined;
}

const seeds = Array.from({ length: 12 }, (_, index) => index * 7_919 + 1);
const aborts = (stream: Omit<Stream, 'seed'>): number[] =>
  seeds.map((seed) => abortedAfter({ seed, ...stream })).filter((count) => count !== undefined);

describe('a stream of requests', () => {
  it.each<[string, Partial<Behaviour>, number]>([
    ['no errors', {}, 0.1],
    ['1 % of errors', { errors: 0.01 }, 0.1],
    ['1 % of errors, as half of the requests', { errors: 0.01 }, 0.5],
    ['5 % of errors', { errors: 0.05 }, 0.1],
    ['very uneven times', { spread: 1.5 }, 0.5],
  ])('leaves an equal canary alone in 100 checks: %s', (_, behaviour, weight) => {
    expect(aborts({ stable: behaviour, canary: behaviour, weight })).toEqual([]);
  });

  it('leaves alone a canary that is worse by less than is allowed', () => {
    expect(aborts({ canary: { errors: 0.005, median_ms: 130 } })).toEqual([]);
  });

  it.each<[string, Partial<Behaviour>, number, number]>([
    ['5 % of errors', { errors: 0.05 }, 0.1, 700],
    ['5 % of errors, as half of the requests', { errors: 0.05 }, 0.5, 900],
    ['30 % of errors', { errors: 0.3 }, 0.1, 200],
    ['nothing but errors, as nearly all of the requests', { errors: 1 }, 0.9, 200],
    ['twice the latency', { median_ms: 200 }, 0.1, 600],
    ['three times a very uneven latency', { median_ms: 300, spread: 1 }, 0.1, 600],
  ])('takes a bad canary back soon: %s', (_, canary, weight, most) => {
    const counts = aborts({ stable: canary.spread ? { spread: canary.spread } : {}, canary, weight });
    expect(counts).toHaveLength(seeds.length);
    expect(Math.max(...counts)).toBeLessThan(most);
  });

  it('never takes back a canary without errors that is not slower, whatever the rules', () => {
    const rules = fc.record({
      min_requests: fc.integer({ min: 1, max: 500 }),
      failure_limit: fc.integer({ min: 1, max: 3 }),
      max_error_increase_percent: fc.double({ min: 0, max: 100, noNaN: true }),
      latency_quantile: fc.double({ min: 0.5, max: 0.999, noNaN: true }),
      max_latency_ratio: fc.double({ min: 1.3, max: 100, noNaN: true }),
      latency_tolerance_ms: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(rules, fc.integer(), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (some, seed, weight) => {
        expect(abortedAfter({ seed, weight, checks: 40, rules: some })).toBeUndefined();
      }),
      { numRuns: 20, seed: 1 },
    );
  });
});
