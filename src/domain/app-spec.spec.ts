import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_CONFIG,
  defaultVersion,
  describeSource,
  isExclusive,
  placeName,
  resolveConfig,
  serviceName,
  skippedPhases,
  type AppConfig,
  type DeploySpec,
} from './app-spec.js';
import { DEFAULT_STRATEGIES, STRATEGY_TYPES, type Strategy } from './strategy.js';

const image = (reference: string) => ({ kind: 'image', image: reference }) as const;
const git = {
  kind: 'git',
  url: 'https://git.example.com/a/b.git',
  ref: 'main',
  commit: '0123456789abcdef0123456789abcdef01234567',
} as const;
const spec: DeploySpec = {
  source: git,
  config: {},
  validation_level: 'basic',
  auto_rollback: true,
  on_conflict: 'queue',
};

describe('resolveConfig', () => {
  it('keeps what is left out', () => {
    const current = { ...DEFAULT_CONFIG, replicas: 3, env: { A: 'sealed' } };
    expect(resolveConfig(current, { port: 8080 })).toEqual({ ...current, port: 8080 });
  });

  it('replaces a field as a whole', () => {
    expect(resolveConfig({ ...DEFAULT_CONFIG, env: { A: '1', B: '2' } }, { env: { C: '3' } }).env).toEqual({ C: '3' });
  });

  it('sets and takes away single values, and leaves the others', () => {
    const current = { ...DEFAULT_CONFIG, env: { A: '1', B: '2' }, secrets: { key: 'old' } };
    const merge = { env: { A: null, B: '3', C: '4' } };
    expect(resolveConfig(current, {}, { merge })).toEqual({ ...current, env: { B: '3', C: '4' } });
  });

  it('keeps nothing but the number of replicas where the order is the whole configuration', () => {
    const current = { ...DEFAULT_CONFIG, replicas: 3, port: 8080, env: { A: '1' } };
    expect(resolveConfig(current, { env: { B: '2' } }, { whole: true })).toEqual({
      ...DEFAULT_CONFIG,
      replicas: 3,
      env: { B: '2' },
    });
  });

  it('begins with the defaults', () => {
    expect(resolveConfig(undefined, {})).toEqual(DEFAULT_CONFIG);
  });

  it.each(STRATEGY_TYPES)('fills in the parameters of a strategy that was stored as the name %s', (type) => {
    const stored = { ...DEFAULT_CONFIG, strategy: type as unknown as Strategy };
    expect(resolveConfig(stored, {}).strategy).toEqual(DEFAULT_STRATEGIES[type]);
  });

  it('gives what was stored before there were secrets and domains none of them', () => {
    const { secrets: _, domains: __, force_https: ___, ...stored } = { ...DEFAULT_CONFIG, replicas: 4 };
    const config = resolveConfig(stored as AppConfig, {});
    expect(config).toEqual({ ...DEFAULT_CONFIG, replicas: 4 });
  });
});

describe('defaultVersion', () => {
  it.each([
    [image('web:1.2'), '1.2'],
    [image('registry:5000/team/web:v3'), 'v3'],
    [image('registry:5000/team/web'), 'v7'],
    [image('web:latest'), 'v7'],
    [image('web:1.2@sha256:' + 'a'.repeat(64)), '1.2'],
    [image(`sha256:${'a'.repeat(64)}`), 'v7'],
    [git, '0123456789ab'],
    [{ kind: 'dockerfile', dockerfile: 'FROM x' } as const, 'v7'],
    [{ kind: 'live' } as const, 'v7'],
    [{ kind: 'release', release: 4, version: '1.4', image: 'sha256:1' } as const, '1.4'],
  ])('of %j is %s', (source, version) => {
    expect(defaultVersion(source, 7)).toBe(version);
  });
});

describe('skippedPhases', () => {
  it('skips nothing of a built app', () => {
    expect(skippedPhases(spec, DEFAULT_CONFIG)).toEqual({});
  });

  it('skips the source checks of an image, gates that were turned off, probes of nothing', () => {
    const skips = skippedPhases(
      { ...spec, source: image('web:1'), validation_level: 'none' },
      { ...DEFAULT_CONFIG, replicas: 0 },
    );
    expect(Object.keys(skips)).toEqual(['pre_build', 'pre_deploy', 'post_deploy']);
  });

  it.each([{ kind: 'live' }, { kind: 'release', release: 4, version: '1.4', image: 'sha256:1' }] as const)(
    'builds nothing of an image that runs again: $kind',
    (source) => {
      expect(Object.keys(skippedPhases({ ...spec, source }, DEFAULT_CONFIG))).toEqual(['pre_build', 'build']);
    },
  );
});

describe('names', () => {
  it('of an app in an environment are those of CapRover in production, and differ elsewhere', () => {
    expect(placeName('web', 'production')).toBe('web');
    expect(placeName('web', 'staging')).toBe('web--staging');
  });

  it('of services tell environments and releases apart', () => {
    expect(serviceName({ app_name: 'web', environment: 'production', release: 12 })).toBe('web_r12');
    expect(serviceName({ app_name: 'web', environment: 'staging', release: 3 })).toBe('web--staging_r3');
  });
});

it.each([
  ['a volume', { volumes: [{ source: 'data', target: '/data', read_only: false }] }, true],
  ['a host port', { ports: [{ container_port: 80, host_port: 8080, protocol: 'tcp' }] }, true],
  ['neither', {}, false],
] as const)('tells whether two versions can run at once: with %s', (_, fields, exclusive) => {
  expect(isExclusive({ ...DEFAULT_CONFIG, ...fields })).toBe(exclusive);
});

it.each([
  [{ kind: 'image', image: 'web:1' }, 'web:1'],
  [{ kind: 'live' }, 'the live release'],
  [{ kind: 'release', release: 4, version: '1.4', image: 'sha256:1' }, 'release 4'],
] as const)('describes the source %j', (source, words) => {
  expect(describeSource(source)).toBe(words);
});

it('describes a source without its secrets', () => {
  expect(describeSource({ ...git, token: 'sealed' })).toBe('https://git.example.com/a/b.git#main@0123456789ab');
});
