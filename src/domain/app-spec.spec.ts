import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_CONFIG,
  defaultVersion,
  describeSource,
  resolveConfig,
  serviceName,
  skippedPhases,
  type DeploySpec,
} from './app-spec.js';

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

  it('begins with the defaults', () => {
    expect(resolveConfig(undefined, {})).toEqual(DEFAULT_CONFIG);
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
});

it('names the service as CapRover does, and tells environments apart', () => {
  expect(serviceName('web', 'production')).toBe('web');
  expect(serviceName('web', 'staging')).toBe('web--staging');
});

it('describes a source without its secrets', () => {
  expect(describeSource({ ...git, token: 'sealed' })).toBe('https://git.example.com/a/b.git#main@0123456789ab');
});
