/** What succeeded, and the ways back to it. */
import { describe, expect, it } from '@jest/globals';
import {
  at,
  base,
  begin,
  cancel,
  fail,
  failure,
  identity,
  request,
  shift,
  start,
  succeed,
} from '../../test/support/deployment-fixtures.js';
import { DEFAULT_CONFIG, DEFAULT_HEALTH_CHECK, resolveConfig, type AppConfig, type DeploySpec } from './app-spec.js';
import { evolve, fold, settle, type Base, type DeploymentState, type Fact } from './deployment.js';
import { DEPLOYMENT_KINDS } from './facts.js';
import {
  automaticRollback,
  isRelease,
  releaseBefore,
  releaseDifferences,
  rollbackSpec,
  type Release,
} from './releases.js';

const ID = 'dep-01jd0000000000000000000009';

const spec: DeploySpec = {
  source: { kind: 'image', image: 'api-server:1.0.0' },
  config: { replicas: 5 },
  validation_level: 'strict',
  auto_rollback: true,
  on_conflict: 'supersede',
};

/** A deployment over `live`, after these facts and what follows from them. */
function course(live: Base | undefined, ...facts: Fact[]): DeploymentState {
  const started: Fact = { ...(start() as Extract<Fact, { type: 'deployment_started' }>), ...(live && { base: live }) };
  const done = (['pre_build', 'build', 'pre_deploy'] as const).flatMap((phase) => [begin(phase), succeed(phase)]);
  return [started, ...done, begin('deploy'), ...facts].reduce<DeploymentState>(
    (state, fact) => {
      const next = evolve(state, fact);
      return settle(next, at).reduce<DeploymentState>(evolve, next);
    },
    fold([request]),
  );
}
const served = shift(true);
const failed = fail('deploy', 1, 'unhealthy');

it('becomes of what changes the content, and of nothing else', () => {
  expect(DEPLOYMENT_KINDS.filter((kind) => isRelease({ kind }))).toEqual(['deploy', 'rollback', 'config']);
  expect(isRelease({})).toBe(true);
});

describe('the automatic rollback', () => {
  it('goes back to what was live, with the configuration of the app', () => {
    const live: Base = { ...base, image_digest: 'sha256:0', commit: 'abc' };
    expect(automaticRollback(course(live, served, failed), spec, ID)).toEqual({
      identity: {
        id: ID,
        kind: 'rollback',
        app_name: 'api-server',
        environment: 'production',
        project: 'default',
        version: '0.9.0',
        actor: { kind: 'system', name: 'auto-rollback' },
        source: 'release 6',
        timeout_ms: 900_000,
        rollback_of: identity.id,
        rollback_to: 6,
        reason: `1.0.0 failed: ${failure('unhealthy').message}`,
      },
      spec: {
        source: {
          kind: 'release',
          release: 6,
          version: '0.9.0',
          image: 'api-server@sha256:0',
          image_digest: 'sha256:0',
          commit: 'abc',
        },
        config: {},
        validation_level: 'basic',
        auto_rollback: false,
        on_conflict: 'queue',
      },
    });
  });

  it('is ordered although the requests were sent back meanwhile: the version had met some', () => {
    expect(automaticRollback(course(base, served, shift(false), failed), spec, ID)).toBeDefined();
  });

  it('names the release where what was live had no version', () => {
    const { version: _, ...live } = base;
    const order = automaticRollback(course(live, served, failed), spec, ID);
    expect(order?.identity.version).toBe('v6');
    expect(order?.spec.source).toMatchObject({ version: 'v6' });
  });

  it('never loops: its own failure orders none', () => {
    const order = automaticRollback(course(base, served, failed), spec, ID)!;
    const again = { ...course(base, served, failed), identity: { ...order.identity, release: 8 } };
    expect(automaticRollback(again, order.spec, 'dep-x')).toBeUndefined();
    // Neither does it depend on what the order says of it.
    expect(automaticRollback(again, { ...order.spec, auto_rollback: true }, 'dep-x')).toBeUndefined();
    expect(automaticRollback({ ...again, identity }, order.spec, 'dep-x')).toBeUndefined();
  });

  const { release: _, image: __, ...nothing } = base;
  const { image: ___, ...imageless } = base;
  it.each<[string, DeploymentState, Partial<DeploySpec>]>([
    ['nothing was switched', course(base, failed), {}],
    ['the version was only shown', course(base, shift(false), failed), {}],
    ['it is not wanted', course(base, served, failed), { auto_rollback: false }],
    ['it has not ended', course(base, served), {}],
    ['it waits for another attempt', course(base, served, fail('deploy', 1, 'docker_unavailable')), {}],
    ['it succeeded', course(base, served, succeed('deploy'), begin('post_deploy'), succeed('post_deploy')), {}],
    ['it was cancelled', course(base, served, cancel, fail('deploy', 1, 'cancelled')), {}],
    ['nothing is known of what was before', course(undefined, served, failed), {}],
    ['nothing was before', course(nothing, served, failed), {}],
    ['the image before is not known', course(imageless, served, failed), {}],
  ])('is not ordered where %s', (_name, state, fields) => {
    expect(automaticRollback(state, { ...spec, ...fields }, ID)).toBeUndefined();
  });
});

const releaseOf = (number: number, fields: Partial<Release> = {}): Release => ({
  app_name: 'api-server',
  environment: 'production',
  release: number,
  deployment_id: `dep-${number}`,
  version: `1.${number}`,
  image: `api-server@sha256:${number}`,
  source: 'archive',
  config: DEFAULT_CONFIG,
  actor: { kind: 'admin', name: 'admin' },
  origin: number,
  created_at: at,
  ...fields,
});

describe('the way back to a release', () => {
  it('takes image and configuration together, and as many replicas as there are now', () => {
    const config: AppConfig = { ...DEFAULT_CONFIG, replicas: 9, env: { KEY: 'sealed' }, port: 8080 };
    const { replicas: _, ...snapshot } = config;
    expect(rollbackSpec(releaseOf(4, { config, image_digest: 'sha256:4', commit: 'abc' }))).toEqual({
      source: {
        kind: 'release',
        release: 4,
        version: '1.4',
        image: 'api-server@sha256:4',
        image_digest: 'sha256:4',
        commit: 'abc',
      },
      config: snapshot,
      whole: true,
      validation_level: 'basic',
      auto_rollback: true,
      on_conflict: 'queue',
    });
    expect(rollbackSpec(releaseOf(4)).source).not.toHaveProperty('commit');
  });

  it('leaves nothing of what was configured since', () => {
    const { config, ...order } = rollbackSpec(releaseOf(4));
    const now = { ...DEFAULT_CONFIG, replicas: 9, health_check: DEFAULT_HEALTH_CHECK, env: { ADDED: 'sealed' } };
    expect(resolveConfig(now, config, order)).toEqual({ ...DEFAULT_CONFIG, replicas: 9 });
  });
});

describe('the release before', () => {
  it('is the last one under the live one, whatever failed between them', () => {
    const releases = [releaseOf(1), releaseOf(2), releaseOf(5)];
    expect(releaseBefore(releases, 5)?.release).toBe(2);
    expect(releaseBefore([...releases].reverse(), 5)?.release).toBe(2);
    expect(releaseBefore(releases, 2)?.release).toBe(1);
  });

  it('leads further back each time, never to and fro', () => {
    const releases = [1, 2, 3, 4].map((number) => releaseOf(number));
    const path: number[] = [];
    for (let live = 4; ;) {
      const target = releaseBefore(releases, live);
      if (target === undefined) break;
      path.push(target.release);
      // Going back makes a release of its own, with the content of its target.
      live = releases.length + 1;
      releases.push(releaseOf(live, { origin: target.origin }));
    }
    expect(path).toEqual([3, 2, 1]);
  });

  it('begins anew where something new was deployed after a rollback', () => {
    const releases = [releaseOf(1), releaseOf(2), releaseOf(3, { origin: 1 }), releaseOf(4)];
    expect(releaseBefore(releases, 4)?.release).toBe(2);
  });

  it('is none before the first, where nothing is live, and where what is live is not known', () => {
    expect(releaseBefore([releaseOf(1)], 1)).toBeUndefined();
    expect(releaseBefore([releaseOf(1)], undefined)).toBeUndefined();
    expect(releaseBefore([releaseOf(1)], 7)).toBeUndefined();
    expect(releaseBefore([], 1)).toBeUndefined();
  });
});

describe('the differences of two releases', () => {
  /** As sealing does, the same value never looks the same twice. */
  const sealed = (value: string, salt: number): string => `${salt}|${value}`;
  const open = (text: string): string => text.slice(text.indexOf('|') + 1);
  const of = (fields: Partial<AppConfig>, rest: Partial<Release> = {}): Release =>
    releaseOf(1, { ...rest, config: { ...DEFAULT_CONFIG, ...fields } });

  it('are none between equal ones, however often their values were sealed', () => {
    const [one, two] = [1, 2].map((salt) =>
      of({ env: { URL: sealed('https://a', salt) }, secrets: { key: sealed('hunter2', salt) } }, { release: salt }),
    );
    expect(releaseDifferences(one!, two!, open)).toEqual([]);
  });

  it('are told by path, in order, with both values', () => {
    const from = of({ replicas: 2, domains: ['a.example'], resources: { cpu_limit: 1 } }, { version: '1.0' });
    const to = of(
      { replicas: 3, domains: ['b.example'], resources: { memory_limit_mb: 64 } },
      { version: '1.1', commit: 'abc' },
    );
    expect(releaseDifferences(from, to, open)).toEqual([
      { path: 'commit', change: 'added', to: 'abc' },
      { path: 'config.domains', change: 'changed', from: ['a.example'], to: ['b.example'] },
      { path: 'config.replicas', change: 'changed', from: 2, to: 3 },
      { path: 'config.resources.cpu_limit', change: 'removed', from: 1 },
      { path: 'config.resources.memory_limit_mb', change: 'added', to: 64 },
      { path: 'version', change: 'changed', from: '1.0', to: '1.1' },
    ]);
  });

  it('never show a value that is secret: not a new one, not an old one, not a sealed one', () => {
    const from = of({
      env: { SAME: sealed('value-same', 1), CHANGED: sealed('value-before', 1), GONE: sealed('value-gone', 1) },
      secrets: { 'tls.key': sealed('file-before', 1), 'old.key': sealed('file-gone', 1) },
    });
    const to = of({
      env: { SAME: sealed('value-same', 2), CHANGED: sealed('value-after', 2), NEW: sealed('value-new', 2) },
      secrets: { 'tls.key': sealed('file-after', 2) },
    });
    const differences = releaseDifferences(from, to, open);
    expect(differences).toEqual([
      { path: 'config.env.CHANGED', change: 'changed' },
      { path: 'config.env.GONE', change: 'removed' },
      { path: 'config.env.NEW', change: 'added' },
      { path: 'config.secrets.old.key', change: 'removed' },
      { path: 'config.secrets.tls.key', change: 'changed' },
    ]);
    expect(JSON.stringify(differences)).not.toMatch(/value-|file-/);
  });

  it('tell of a value that became empty as a change', () => {
    const [from, to] = [of({ env: { A: sealed('x', 1) } }), of({ env: { A: sealed('', 2) } })];
    expect(releaseDifferences(from, to, open)).toEqual([{ path: 'config.env.A', change: 'changed' }]);
  });

  it('open each value by its name and its kind', () => {
    const asked: string[] = [];
    const from = of({ env: { A: '1|x' }, secrets: { b: '1|y' } });
    releaseDifferences(from, from, (text, name, kind) => {
      asked.push(`${kind} ${name}`);
      return open(text);
    });
    expect([...new Set(asked)].sort()).toEqual(['env A', 'secrets b']);
  });
});
