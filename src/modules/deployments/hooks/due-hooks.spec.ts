import { describe, expect, it } from '@jest/globals';
import type { Hook, PluginUse } from '../../../domain/hooks.js';
import type { Plugin } from '../../../domain/plugin.js';
import { dueHooks, withoutSource } from './due-hooks.js';

const plugin = (name: string, ...hooks: Hook[]): Plugin => ({
  name,
  version: '1.0.0',
  origin: 'external',
  about: '',
  after: [],
  hooks: Object.fromEntries(hooks.map((hook) => [hook, { timeout_seconds: 60, on_failure: 'fail' }])),
  checkOptions: async () => undefined,
  run: async () => undefined,
});
const PLUGINS = [
  plugin('source-check', 'pre_build'),
  plugin('cluster-check', 'pre_deploy'),
  plugin('vulnerability-scan', 'pre_deploy'),
  plugin('sizes', 'pre_build', 'pre_deploy'),
  plugin('licence', 'pre_build'),
];
const NONE = { plugins: [] };
const use = (name: string, more: Partial<PluginUse> = {}): PluginUse => ({ name, ...more });

describe('what is due', () => {
  const due = (
    hook: Hook,
    uses: readonly PluginUse[],
    kind: 'deploy' | 'scale' = 'deploy',
    of_app: { plugins: readonly PluginUse[] } = NONE,
  ) => dueHooks(PLUGINS, hook, { kind }, { validation_level: 'basic', plugins: uses }, of_app);
  const names = (...args: Parameters<typeof due>) => due(...args).due.map(({ plugin: { name } }) => name);

  it.each<[string, Parameters<typeof due>, string[]]>([
    ['what the level asks for', ['pre_deploy', []], ['cluster-check']],
    [
      'what is switched on as well, in the order of the plugins',
      ['pre_deploy', [use('sizes'), use('vulnerability-scan')]],
      ['cluster-check', 'vulnerability-scan', 'sizes'],
    ],
    ['what has such a hook', ['pre_build', [use('sizes'), use('vulnerability-scan')]], ['source-check', 'sizes']],
    [
      'what the app has switched on',
      ['pre_build', [], 'deploy', { plugins: [use('licence')] }],
      ['source-check', 'licence'],
    ],
    [
      'only the look at the cluster, where replicas are added',
      ['pre_deploy', [use('sizes')], 'scale'],
      ['cluster-check'],
    ],
  ])('is %s', (_name, asked, expected) => {
    expect(names(...asked)).toEqual(expected);
  });

  it("has the options of the deployment before those of the app, and those before the server's", () => {
    const options = (spec: object, app: readonly PluginUse[]) =>
      dueHooks(PLUGINS, 'pre_build', {}, { validation_level: 'basic', ...spec }, { plugins: app })
        .due.filter(({ plugin: { name } }) => name === 'licence')
        .map((each) => [each.options, each.of_server]);
    const server_plugins = [use('licence', { options: { of: 'server' } })];
    const app = [use('licence', { options: { of: 'app' } })];
    expect(options({ server_plugins }, [])).toEqual([[{ of: 'server' }, true]]);
    expect(options({ server_plugins }, app)).toEqual([[{ of: 'app' }, false]]);
    expect(options({ server_plugins, plugins: [use('licence')] }, app)).toEqual([[{}, false]]);
  });

  it('tells what is switched on and not there', () => {
    expect(due('pre_build', [use('gone')]).missing).toEqual(['gone']);
  });
});

it('what looks at sources only is told where there is none', () => {
  const plugins = [use('licence'), use('sizes'), use('vulnerability-scan')];
  expect(withoutSource(PLUGINS, { source: { kind: 'image', image: 'a' }, plugins })).toEqual(['licence']);
  expect(withoutSource(PLUGINS, { source: { kind: 'dockerfile', dockerfile: '' }, plugins })).toEqual([]);
});
