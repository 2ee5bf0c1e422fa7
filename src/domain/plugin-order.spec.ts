import { describe, expect, it } from '@jest/globals';
import type { Plugin } from './plugin.js';
import { orderPlugins } from './plugin-order.js';

const plugin = (name: string, ...after: string[]): Plugin => ({
  name,
  version: '1.0.0',
  origin: 'external',
  about: '',
  after,
  hooks: {},
  checkOptions: async () => undefined,
  run: async () => undefined,
});
const names = (plugins: readonly Plugin[]) => orderPlugins(plugins).map(({ name }) => name);

describe('the order of plugins', () => {
  it('is the one given where nothing else is said', () => {
    expect(names([plugin('c'), plugin('a'), plugin('b')])).toEqual(['c', 'a', 'b']);
  });

  it('has each after all that it names', () => {
    expect(names([plugin('a', 'b', 'c'), plugin('b', 'd'), plugin('c'), plugin('d')])).toEqual(['d', 'b', 'c', 'a']);
  });

  it.each<[string, Plugin[], RegExp]>([
    ['a name that is taken twice', [plugin('a'), plugin('a')], /two plugins are named a/],
    ['a plugin that is not there', [plugin('a', 'b')], /a runs after b, which is not there/],
    ['a circle', [plugin('a', 'b'), plugin('b', 'c'), plugin('c', 'a')], /a → b → c → a/],
    ['itself', [plugin('a', 'a')], /a → a/],
  ])('is refused for %s', (_name, plugins, message) => {
    expect(() => orderPlugins(plugins)).toThrow(message);
  });
});
