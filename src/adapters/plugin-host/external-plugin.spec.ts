import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pluginProcesses, pluginSource, writeFiles } from '../../../test/support/plugin-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import type { Plugin } from '../../domain/plugin.js';
import { fakeContext, sourceFolder } from '../../plugin/testing.js';
import { loadExternalPlugin } from './external-plugin.js';

const PACKAGES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const folder = temporaryFolder();
const load = (label: string): Promise<Plugin> =>
  loadExternalPlugin(label, { workingFolder: folder.path, dataFolder: join(folder.path, 'data') });

afterEach(async () => {
  expect(await pluginProcesses()).toEqual([]);
});

describe('a plugin in a folder', () => {
  it('is TypeScript that runs without a build, and is described', async () => {
    await writeFiles(join(folder.path, 'size'), {
      'package.json': '{ "name": "size", "version": "2.1.0", "type": "module" }',
      'limits.ts': 'export const LIMIT: number = 7;',
      'plugin.ts': `
        import { definePlugin, z, type PreBuildContext } from 'flukedeploy/plugin';
        import { LIMIT } from './limits.ts';
        export const plugin = definePlugin({
          name: 'size', apiVersion: 1, about: 'Checks sizes.', after: ['secret-scan'],
          options: z.strictObject({ limit_mb: z.number().default(LIMIT) }),
          hooks: {
            pre_build: { timeoutSeconds: 5, onFailure: 'warn', run: ({ options, log }: PreBuildContext<{ limit_mb: number }>) => log('info', 'limit ' + options.limit_mb) },
          },
        });
        export default plugin;`,
    });
    const plugin = await load('./size');
    expect(plugin).toMatchObject({
      name: 'size',
      version: '2.1.0',
      origin: 'external',
      about: 'Checks sizes.',
      after: ['secret-scan'],
      hooks: { pre_build: { timeout_seconds: 5, on_failure: 'warn' } },
      option_schema: { type: 'object', properties: { limit_mb: { type: 'number', default: 7 } } },
    });
    await using workspace = await sourceFolder({});
    const context = fakeContext('pre_build', { workspace });
    await plugin.run('pre_build', context);
    expect(context.recorded.logs).toEqual([{ level: 'info', message: 'limit 7' }]);
    await plugin.checkOptions({ limit_mb: 3 });
    await expect(plugin.checkOptions({ limit_mb: 'much' })).rejects.toMatchObject({
      code: 'plugin_options_invalid',
      fields: [{ path: 'limit_mb' }],
    });
    await expect(plugin.run('pre_build', { ...context, options: { limit: 1 } })).rejects.toMatchObject({
      code: 'plugin_options_invalid',
      plugin: { name: 'size' },
    });
  });

  it('may name its entry by main or by exports', async () => {
    await writeFiles(join(folder.path, 'main'), {
      'package.json': '{ "main": "lib/entry.mjs" }',
      'lib/entry.mjs': pluginSource(''),
    });
    await writeFiles(join(folder.path, 'exports'), {
      'package.json': '{ "name": "exporting", "exports": { "import": "./lib/entry.mjs" } }',
      'lib/entry.mjs': pluginSource(''),
    });
    expect(await load('main')).toMatchObject({ name: 'probe', version: '0.0.0' });
    expect(await load(join(folder.path, 'exports'))).toMatchObject({ name: 'probe' });
  });

  it('may be CommonJS, with class-validator of its own', async () => {
    const plugin = await writeFiles(join(folder.path, 'classy'), {
      'index.js': `
        const { IsInt } = require('class-validator');
        const { definePlugin } = require('flukedeploy/plugin');
        class Options {}
        IsInt()(Options.prototype, 'limit');
        module.exports = definePlugin({ name: 'classy', apiVersion: 1, options: Options,
          hooks: { pre_build: ({ options, log }) => log('info', options.constructor.name + options.limit) } });`,
    });
    await mkdir(join(plugin, 'node_modules'));
    await symlink(join(PACKAGES, 'class-validator'), join(plugin, 'node_modules/class-validator'));
    const loaded = await load('./classy');
    expect(loaded.option_schema).toMatchObject({ properties: { limit: { type: 'integer' } } });
    await expect(loaded.checkOptions({ limit: 'x' })).rejects.toMatchObject({ fields: [{ path: 'limit' }] });
    await using workspace = await sourceFolder({});
    const context = fakeContext('pre_build', { workspace, options: { limit: 5 } });
    await loaded.run('pre_build', context);
    expect(context.recorded.logs).toEqual([{ level: 'info', message: 'Options5' }]);
  });
});

describe('a plugin in one file', () => {
  it('runs, and may read nothing beside itself', async () => {
    await writeFiles(folder.path, {
      'alone.ts': pluginSource(
        `const { readFileSync } = await import('node:fs'); readFileSync('${folder.path}/secret.key', 'utf8');`,
      ),
      'secret.key': 'hidden',
    });
    const plugin = await load('alone.ts');
    await expect(plugin.run('post_deploy', fakeContext('post_deploy'))).rejects.toMatchObject({
      code: 'hook_failed',
      message: expect.stringContaining('allow-fs-read'),
      evidence: [expect.stringContaining('alone.ts:')],
    });
  });
});

describe('a plugin in a package', () => {
  it('is found from the working folder and in DATA_DIR/plugins, with the packages that it needs', async () => {
    const source = await writeFiles(join(folder.path, 'source'), {
      'package.json': '{ "name": "@acme/greeter", "version": "3.0.0", "type": "module", "exports": "./greet.js" }',
      'greet.js': `import { word } from 'word'; ${pluginSource("context.log('info', word)")}`,
    });
    await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder.path], { cwd: source });
    for (const place of ['.', 'data/plugins']) {
      const modules = await writeFiles(join(folder.path, place, 'node_modules'), {
        'word/package.json': '{ "name": "word", "type": "module", "exports": "./index.js" }',
        'word/index.js': "export const word = 'hello';",
      });
      const target = join(modules, '@acme/greeter');
      await mkdir(target, { recursive: true });
      const archive = join(folder.path, 'acme-greeter-3.0.0.tgz');
      await promisify(execFile)('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
      const plugin = await loadExternalPlugin('@acme/greeter', {
        workingFolder: join(folder.path, place === '.' ? '.' : 'elsewhere'),
        dataFolder: join(folder.path, 'data'),
      });
      expect(plugin).toMatchObject({ name: 'probe', version: '3.0.0' });
      const context = fakeContext('post_deploy');
      await plugin.run('post_deploy', context);
      expect(context.recorded.logs).toEqual([{ level: 'info', message: 'hello' }]);
    }
  });
});
