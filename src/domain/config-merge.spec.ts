/** How a change or a rollback becomes the app's configuration. */
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_CONFIG, DEFAULT_HEALTH_CHECK, merged, namedVolumes, resolveConfig } from './app-spec.js';

const current = { ...DEFAULT_CONFIG, replicas: 3, env: { A: '1', B: '2' }, health_check: DEFAULT_HEALTH_CHECK };

describe('a configuration', () => {
  it('gets and loses names, and keeps all others', () => {
    const merge = { env: { B: null, C: '3', NEVER: null }, secrets: { KEY: 'x' } };
    expect(resolveConfig(current, {}, { merge })).toEqual({
      ...current,
      env: { A: '1', C: '3' },
      secrets: { KEY: 'x' },
    });
    expect(merged({ A: '1' })).toEqual({ A: '1' });
  });

  it('that is whole leaves nothing of the current one but its replicas', () => {
    const { replicas: _, ...snapshot } = { ...DEFAULT_CONFIG, env: { OLD: '1' } };
    expect(resolveConfig(current, snapshot, { whole: true })).toEqual({ ...snapshot, replicas: 3 });
    expect(resolveConfig(undefined, snapshot, { whole: true }).replicas).toBe(DEFAULT_CONFIG.replicas);
  });
});

it('the named volumes are those that are no folders of the host', () => {
  const mount = (source: string, target: string) => ({ source, target, read_only: false });
  expect(namedVolumes({ volumes: [mount('data', '/a'), mount('/srv', '/b'), mount('data', '/c')] })).toEqual(['data']);
});
