import { describe, expect, it } from '@jest/globals';
import type { PluginUse } from '../../domain/hooks.js';
import { inProcessPlugin } from '../../plugin/in-process-plugin.js';
import { definePlugin, z } from '../../plugin/index.js';
import { NO_SERVER_PLUGINS, parseServerPlugins, Plugins } from './index.js';

const sizes = inProcessPlugin(
  definePlugin({
    name: 'sizes',
    apiVersion: 1,
    options: z.strictObject({ limit: z.number().default(1) }),
    hooks: { pre_build: () => undefined },
  }),
  { version: '1.0.0', origin: 'external' },
);
const open = (...uses: PluginUse[]) =>
  new Plugins([sizes], { ...NO_SERVER_PLUGINS, uses: uses.map((use) => ({ ...use, locked: false })) }).checkServer();

describe('what the server switches on', () => {
  it('stops the start with all of its mistakes, and none of the values', async () => {
    const opened = open({ name: 'gone' }, { name: 'sizes', options: { limit: 'top secret' } }, { name: 'sizes' });
    const message = await opened.then(String, String);
    expect(message).toContain('FLUKEDEPLOY_PLUGIN_CONFIG has mistakes:');
    expect(message).toContain('plugins.0.name: no plugin is named gone');
    expect(message).toContain('sizes: plugins.1.options.limit: ');
    expect(message).toContain('plugins.2.name: sizes is named twice');
    expect(message).not.toContain('top secret');
  });

  it('is taken where it is right', async () => {
    await expect(open({ name: 'sizes', options: { limit: 3 } })).resolves.toBeUndefined();
  });

  it('has the form of its file: each wrong field is named, and no value', () => {
    const text = JSON.stringify({ plugins: [{ name: 5 }], secrets: { KEY: { deep: 'top secret' } }, more: 1 });
    const read = () => parseServerPlugins(text);
    expect(read).toThrow(/^plugins\.0\.name: .*; secrets\.KEY: .*; Unrecognized key: "more"$/);
    expect(read).not.toThrow(/top secret/);
    expect(() => parseServerPlugins('{"secrets":{"KEY":"top secret"')).toThrow('it is not valid JSON');
  });
});
