/** The arithmetic of the strategies, proved for any numbers of replicas and any rules. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { trafficTo } from '../../test/support/deployment-fixtures.js';
import {
  canaryReplicas,
  hostsOf,
  mixed,
  nextWave,
  previewed,
  replenished,
  servicesOf,
  switched,
  trafficOf,
  weighted,
} from './rollout-plan.js';
import { DEFAULT_STRATEGIES, type ReplicaShare, type RollingStrategy } from './strategy.js';
import type { Backend, Traffic } from './traffic.js';

const MOST_REPLICAS = 30;

interface Case {
  readonly strategy: RollingStrategy;
  readonly wanted: number;
  /** Replicas of the version before when the rollout begins. */
  readonly old: number;
  /** How many of those that are missing become ready between two looks; none stands for a slow start. */
  readonly pace: readonly number[];
}

const share = fc.oneof(
  fc.nat(MOST_REPLICAS),
  fc.nat(100).map((percent): ReplicaShare => `${percent}%`),
);
const anyCase: fc.Arbitrary<Case> = fc.record({
  strategy: fc.record({ type: fc.constant('rolling'), max_surge: share, max_unavailable: share }),
  wanted: fc.integer({ min: 1, max: MOST_REPLICAS }),
  old: fc.nat(MOST_REPLICAS),
  pace: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }).filter((pace) => pace.some((count) => count > 0)),
});

interface Moment {
  readonly before: number;
  readonly fresh: number;
  readonly ready: number;
}

/** Every moment of a rollout in which nothing fails. */
function rollOut({ strategy, wanted, old, pace }: Case): Moment[] {
  const moments: Moment[] = [{ before: old, fresh: 0, ready: 0 }];
  for (let look = 0; look < 20 * (MOST_REPLICAS + 1) * pace.length; look++) {
    const { before, fresh, ready } = moments.at(-1)!;
    if (ready >= wanted) return moments;
    const grown = Math.min(fresh, ready + pace[look % pace.length]!);
    const wave = nextWave({ strategy, wanted, before, fresh, ready: grown });
    moments.push({ ...wave, ready: grown });
  }
  throw new Error(`it never ends: ${JSON.stringify(moments.at(-1))}`);
}

/** As Kubernetes' Deployment controller resolves them. */
function limits({ strategy, wanted }: Case): { surge: number; unavailable: number } {
  const resolve = (amount: ReplicaShare, round: (number: number) => number): number =>
    typeof amount === 'number' ? amount : round((Number.parseInt(amount, 10) * wanted) / 100);
  const surge = resolve(strategy.max_surge, Math.ceil);
  const unavailable = resolve(strategy.max_unavailable, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

describe('waves', () => {
  const always = (check: (one: Case, moments: Moment[]) => void): void =>
    fc.assert(
      fc.property(anyCase, (one) => check(one, rollOut(one))),
      { numRuns: 500 },
    );

  it('end with the new version complete, whatever the rules', () => {
    always(({ wanted }, moments) => expect(moments.at(-1)).toMatchObject({ fresh: wanted, ready: wanted }));
  });

  it('never run more replicas than are wanted and may surge, but for those that were there before', () => {
    always((one, moments) => {
      const most = Math.max(one.wanted + limits(one).surge, one.old);
      for (const { before, fresh } of moments) expect(before + fresh).toBeLessThanOrEqual(most);
    });
  });

  it('never have fewer available than are wanted less those that may be missing, unless there were fewer before', () => {
    always((one, moments) => {
      const least = Math.min(one.wanted - limits(one).unavailable, one.old);
      for (const { before, ready } of moments) expect(before + ready).toBeGreaterThanOrEqual(least);
    });
  });

  it('only ever add new replicas and take old ones away, and wait where nothing becomes ready', () => {
    always(({ strategy, wanted }, moments) => {
      for (const [index, { before, fresh, ready }] of moments.entries()) {
        const last = moments[index - 1] ?? { before, fresh };
        expect(before).toBeLessThanOrEqual(last.before);
        expect(fresh).toBeGreaterThanOrEqual(last.fresh);
        expect(fresh).toBeLessThanOrEqual(wanted);
        // Two looks without news settle: a third one finds nothing to do.
        const once = nextWave({ strategy, wanted, before, fresh, ready });
        const twice = nextWave({ strategy, wanted, ...once, ready });
        expect(nextWave({ strategy, wanted, ...twice, ready })).toEqual(twice);
      }
    });
  });

  it('leave the old replicas that are left when the new version is complete: they are drained together', () => {
    const strategy = DEFAULT_STRATEGIES.rolling;
    expect(nextWave({ strategy, wanted: 4, before: 1, fresh: 4, ready: 4 })).toEqual({ before: 1, fresh: 4 });
  });

  it.each<[string, Partial<RollingStrategy>, Parameters<typeof nextWave>[0]['wanted'], object, object]>([
    ['one replica: the new one comes first', {}, 1, { before: 1, fresh: 0, ready: 0 }, { before: 1, fresh: 1 }],
    ['four: one more', {}, 4, { before: 4, fresh: 0, ready: 0 }, { before: 4, fresh: 1 }],
    ['four, one is ready: an old one goes', {}, 4, { before: 4, fresh: 1, ready: 1 }, { before: 3, fresh: 1 }],
    ['its place is taken', {}, 4, { before: 3, fresh: 1, ready: 1 }, { before: 3, fresh: 2 }],
    [
      'no surge: an old one goes first',
      { max_surge: 0, max_unavailable: '25%' },
      4,
      { before: 4, fresh: 0, ready: 0 },
      { before: 3, fresh: 0 },
    ],
    [
      'both rounded to nothing: one may be missing',
      { max_surge: 0, max_unavailable: '25%' },
      1,
      { before: 1, fresh: 0, ready: 0 },
      { before: 0, fresh: 0 },
    ],
    ['nothing before: all at once', {}, 4, { before: 0, fresh: 0, ready: 0 }, { before: 0, fresh: 4 }],
    ['all at once', { max_surge: '100%' }, 4, { before: 4, fresh: 0, ready: 0 }, { before: 4, fresh: 4 }],
  ])('%s', (_, rules, wanted, now, next) => {
    const strategy = { ...DEFAULT_STRATEGIES.rolling, ...rules };
    expect(nextWave({ strategy, wanted, ...(now as Moment) })).toEqual(next);
  });
});

it.each([
  [10, 10, 1],
  [10, 11, 2],
  [10, 50, 5],
  [10, 100, 10],
  [10, 0, 1],
  [1, 50, 1],
  [3, 1, 1],
])('of %i replicas, a canary with %i percent of the requests needs %i', (wanted, weight, replicas) => {
  expect(canaryReplicas(wanted, weight)).toBe(replicas);
});

describe('host names', () => {
  const place = { app_name: 'web', environment: 'production' };

  it("are the app's own first, then those that were asked for, in lower case and once", () => {
    expect(hostsOf(place, ['Shop.Example.com', 'shop.example.com', 'web.apps.example'], 'apps.example')).toEqual([
      'web.apps.example',
      'shop.example.com',
    ]);
  });

  it('have the environment in them outside of production', () => {
    expect(hostsOf({ ...place, environment: 'staging' }, [], 'apps.example')).toEqual(['web--staging.apps.example']);
  });

  it('are only those that were asked for where there is no root domain', () => {
    expect(hostsOf(place, ['shop.example.com'], undefined)).toEqual(['shop.example.com']);
    expect(hostsOf(place, [], undefined)).toEqual([]);
  });
});

describe('the traffic', () => {
  const old: Backend = { service: 'web_r1', deployment_id: 'dep-1', release: 1, port: 80 };
  const fresh: Backend = { service: 'web_r2', deployment_id: 'dep-2', release: 2, port: 8080, addresses: ['10.0.0.7'] };
  const { addresses: _, ...byName } = fresh;
  const plain: Traffic = { ...trafficTo('web_r1', 1), stable: [old] };
  const canary = { backend: byName, weight: 10, stickiness: 'none', match: [] } as const;
  /** With everything that a rollout before may have left there. */
  const crowded: Traffic = { ...plain, canary, preview: { host: 'next.example.com', backend: byName } };

  it('begins with what served before, under the configuration of now', () => {
    const identity = { app_name: 'web', environment: 'staging', project: 'shop' };
    expect(trafficOf(identity, { force_https: true, port: 80 }, ['a.example'], [old])).toEqual({
      ...identity,
      hosts: ['a.example'],
      force_https: true,
      stable: [old],
    });
  });

  it('mixed goes to the old version and to the new replicas that have proved themselves', () => {
    expect(mixed(crowded, [old], fresh)).toEqual({ ...plain, stable: [old, fresh] });
    expect(mixed(crowded, [old], { ...fresh, addresses: [] })).toEqual(plain);
    expect(mixed(plain, [], fresh).stable).toEqual([fresh]);
  });

  it('switched goes to one version, whose replicas are found by their name', () => {
    expect(switched(crowded, fresh)).toEqual({ ...plain, stable: [byName] });
  });

  it('weighted goes to the canary by percent, and to the stable version otherwise', () => {
    const strategy = {
      ...DEFAULT_STRATEGIES.canary,
      stickiness: 'cookie',
      match: [{ header: 'x-canary', value: '1' }],
    } as const;
    expect(weighted(crowded, strategy, fresh, 25)).toEqual({
      ...plain,
      canary: { backend: fresh, weight: 25, stickiness: 'cookie', match: [{ header: 'x-canary', value: '1' }] },
    });
  });

  describe('replenished', () => {
    const at = (addresses: readonly string[], weight = 50): Traffic => ({
      ...crowded,
      canary: { ...canary, weight, backend: { ...fresh, addresses } },
    });

    it.each<[string, string[], string[], string[], string[]]>([
      ['nothing is lost', ['b', 'a'], ['a', 'b'], ['a', 'b'], ['b', 'a']],
      ['another takes the place of one that is lost', ['b', 'a'], ['a', 'c'], ['a', 'c'], ['a', 'c']],
      ['it has not passed its gate yet', ['b', 'a'], ['a', 'c'], ['a'], ['a']],
      ['it comes later', ['a'], ['c', 'a'], ['c', 'a'], ['a', 'c']],
      ['all are lost, and others are there', ['a', 'b'], ['d', 'c'], ['d', 'c'], ['c', 'd']],
      ['all are lost', ['a', 'b'], ['c'], [], []],
      ['a worker that is new has asked none of them', ['a', 'b'], ['a', 'b'], [], ['a', 'b']],
      ['there are more than the weight asks for', ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b']],
      ['there are more, and one is lost', ['a', 'b'], ['b', 'd', 'c'], ['d', 'b', 'c'], ['b', 'c']],
      ['there were more', ['a', 'b', 'c'], ['a', 'b', 'c'], ['a'], ['a', 'b', 'c']],
    ])('has the right replicas where %s', (_, now, running, ready, then) => {
      expect(replenished(at(now), 4, running, ready)).toEqual(at(then));
    });

    it('goes by the weight of now', () => {
      expect(replenished(at(['a'], 10), 4, ['b', 'c'], ['b', 'c'])).toEqual(at(['b'], 10));
    });

    it('leaves alone what has no canary, or one that is found by its name', () => {
      expect(replenished(crowded, 4, ['a'], ['a'])).toEqual(crowded);
      const mixedIn = mixed(plain, [old], fresh);
      expect(replenished(mixedIn, 4, ['a'], ['a'])).toEqual(mixedIn);
    });
  });

  it('previewed shows the new version at a name of its own, and changes nothing else', () => {
    expect(previewed({ ...plain, canary }, 'next.example.com', fresh)).toEqual({
      ...plain,
      preview: { host: 'next.example.com', backend: byName },
    });
  });

  it('knows every service in it once', () => {
    expect(servicesOf(undefined)).toEqual([]);
    expect(servicesOf(crowded)).toEqual(['web_r1', 'web_r2']);
    expect(servicesOf({ ...plain, stable: [old, fresh, old] })).toEqual(['web_r1', 'web_r2']);
  });
});
