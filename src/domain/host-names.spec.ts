import { describe, expect, it } from '@jest/globals';
import { DEFAULT_CONFIG, type AppConfig } from './app-spec.js';
import { DEPLOYMENT_KINDS } from './facts.js';
import { namedHosts, orderedPreviewConflict, previewConflict } from './host-names.js';
import { DEFAULT_STRATEGIES } from './strategy.js';

const blueGreen: AppConfig['strategy'] = { ...DEFAULT_STRATEGIES.blue_green, preview_host: 'next.example' };

describe('the host names of a configuration', () => {
  it.each<[string, Partial<AppConfig>, string[]]>([
    ['none', {}, []],
    [
      'domains, though nothing serves there',
      { domains: ['a.example', 'b.example'], port: 0 },
      ['a.example', 'b.example'],
    ],
    ['a preview', { strategy: blueGreen }, ['next.example']],
    ['both', { domains: ['a.example'], strategy: blueGreen }, ['a.example', 'next.example']],
    ['a strategy without a preview', { strategy: DEFAULT_STRATEGIES.blue_green }, []],
  ])('are %s', (_, config, hosts) => {
    expect(namedHosts(config)).toEqual(hosts);
  });
});

describe('a preview', () => {
  it('is refused under a name at which the app answers, and nowhere else', () => {
    expect(previewConflict({ strategy: blueGreen }, ['a.example', 'next.example'])).toMatchObject({
      code: 'strategy_unsupported',
      fields: [{ path: 'strategy.preview_host', message: expect.stringContaining('next.example') }],
    });
    expect(previewConflict({ strategy: blueGreen }, ['a.example'])).toBeUndefined();
    expect(previewConflict({ strategy: DEFAULT_STRATEGIES.rolling }, ['a.example'])).toBeUndefined();
  });

  it('stands in the way of those orders only that would show it', () => {
    const config = { ...DEFAULT_CONFIG, domains: ['next.example'], strategy: blueGreen };
    const refused = DEPLOYMENT_KINDS.filter((kind) => orderedPreviewConflict({ kind }, config));
    expect(refused).toEqual(['deploy', 'config']);
    expect(orderedPreviewConflict({}, config)).toBeDefined();
  });
});
