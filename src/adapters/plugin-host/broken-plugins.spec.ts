import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { pluginProcesses, pluginSource, writeFiles } from '../../../test/support/plugin-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { loadExternalPlugins } from './external-plugins.js';

const folder = temporaryFolder();
const MODULE = '{ "name": "broken", "type": "module" }';
const definition = (rest: string): string => `({ name: 'probe', apiVersion: 1, ${rest} })`;

async function told(label: string, files: Readonly<Record<string, string>>): Promise<string> {
  await writeFiles(folder.path, files);
  const places = { workingFolder: folder.path, dataFolder: join(folder.path, 'data') };
  const outcome: unknown = await loadExternalPlugins(label.split(','), places).catch((error: unknown) => error);
  expect(await pluginProcesses()).toEqual([]);
  return outcome instanceof Error ? outcome.message : 'it was loaded';
}

afterEach(async () => {
  expect(await pluginProcesses()).toEqual([]);
});

/** What is wrong, its files, and what is said of it. */
const BROKEN: readonly (readonly [string, string, Readonly<Record<string, string>>, RegExp])[] = [
  ['a missing folder', './gone', {}, /\.\/gone: there is no such folder or file/],
  ['a missing package', 'left-padder', {}, /left-padder: .* no package of this name is installed/],
  ['no entry', 'p', { 'p/readme.md': '' }, /p: it has no entry: neither exports nor main/],
  [
    'a main that is gone',
    'p',
    { 'p/package.json': '{ "main": "lib.js" }' },
    /p: .* names lib\.js as main, which is no file/,
  ],
  ['a package.json that is none', 'p', { 'p/package.json': '{' }, /p: its package\.json is not a JSON object/],
  ['some other file', 'p.json', { 'p.json': '{}' }, /p\.json: it is neither a folder nor a \.ts/],
  [
    'a syntax error',
    'p',
    { 'p/package.json': MODULE, 'p/plugin.js': 'const a = 1;\nconst b = ;' },
    /p: Unexpected token ';'/,
  ],
  [
    'a syntax error in TypeScript',
    'p.ts',
    { 'p.ts': 'const a: number = 1;\nconst b = ;' },
    /p\.ts: Expression expected \(p\.ts:2\)/,
  ],
  [
    'TypeScript that is more than types',
    'p.ts',
    { 'p.ts': 'export const a = 1;\nenum Colour { red }' },
    /p\.ts: .*enum is not supported.* \(p\.ts:2\); Node removes types only/,
  ],
  [
    'an import that throws',
    'p.mjs',
    { 'p.mjs': "export const a = 1;\nthrow new Error('no configuration');" },
    /p\.mjs: no configuration \(p\.mjs:2:7\)/,
  ],
  [
    'an import of what is not there',
    'p.mjs',
    { 'p.mjs': "import 'nowhere';" },
    /p\.mjs: Cannot find package 'nowhere'/,
  ],
  [
    'an import that ends the process',
    'p.mjs',
    { 'p.mjs': 'process.exit(0);' },
    /p\.mjs: It ended without an answer: exit code 0/,
  ],
  [
    'an import that rejects late',
    'p.mjs',
    { 'p.mjs': "setTimeout(() => Promise.reject(new Error('late')), 5); await new Promise(() => {});" },
    /p\.mjs: late/,
  ],
  ['no plugin', 'p.mjs', { 'p.mjs': 'export default 1;' }, /p\.mjs: it exports no plugin/],
  ...['hooks: null', 'hooks: { pre_build: null }', 'hooks: {}, options: null'].map(
    (rest) =>
      [
        rest,
        'p.mjs',
        { 'p.mjs': `export default ${definition(rest)};` },
        /p\.mjs: probe: (hooks|hooks\.pre_build|options) must be /,
      ] as const,
  ),
  [
    'two plugins',
    'p.mjs',
    { 'p.mjs': `export const a = ${definition('hooks: {}')}; export const b = ${definition('hooks: {}')};` },
    /p\.mjs: it exports 2 plugins/,
  ],
  [
    'another API',
    'p.mjs',
    { 'p.mjs': "export default { name: 'probe', apiVersion: 9, hooks: {} };" },
    /p\.mjs: probe: apiVersion is 9, this server knows 1/,
  ],
  [
    'an unknown hook',
    'p.mjs',
    { 'p.mjs': `export default ${definition('hooks: { post_build() {} }')};` },
    /p\.mjs: probe: hooks\.post_build is not known/,
  ],
  [
    'TypeScript in a package',
    'typed',
    {
      'node_modules/typed/package.json': '{ "exports": "./plugin.ts" }',
      'node_modules/typed/plugin.ts': pluginSource(''),
    },
    /typed: .*packages must hold JavaScript/,
  ],
  [
    'two of one name',
    'a.mjs,b.mjs',
    { 'a.mjs': pluginSource(''), 'b.mjs': pluginSource('') },
    /probe: two plugins have this name/,
  ],
];

describe('a plugin that cannot be loaded', () => {
  it.each(BROKEN)('is told: %s', async (_, label, files, sentence) => {
    expect(await told(label, files)).toMatch(sentence);
  });

  it('is told when its import hangs, and its process is ended', async () => {
    expect(await told('p.mjs', { 'p.mjs': 'for (;;);' })).toMatch(/p\.mjs: no answer within 10 s/);
  });

  it('is told together with all others', async () => {
    const message = await told('./gone,p.mjs,fine.mjs', { 'p.mjs': 'throw 1;', 'fine.mjs': pluginSource('') });
    expect(message).toBe(
      'FLUKEDEPLOY_PLUGINS has mistakes:\n' +
        '  ./gone: there is no such folder or file, and no package of this name is installed\n' +
        '  p.mjs: 1',
    );
  });
});
