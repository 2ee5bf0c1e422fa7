import { describe, expect, it } from '@jest/globals';
import { nodeLockfileFindings } from './node-lockfiles.js';

type Files = Readonly<Record<string, string>>;

const find = (files: Files) => nodeLockfileFindings(async (path) => files[path]);

const PACKAGE = JSON.stringify({
  dependencies: { express: '^5.1.0', '@scope/tool': '1.2.3', here: 'file:./here' },
  devDependencies: { jest: 'npm:@other/jest@^30.0.0' },
});

const npm = (express: string) =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': {
        dependencies: { express, '@scope/tool': '1.2.3', here: 'file:./here' },
        devDependencies: { jest: 'npm:@other/jest@^30.0.0' },
      },
    },
  });

const LOCKFILES: Readonly<Record<string, (express: string) => string>> = {
  'package-lock.json': npm,
  'npm-shrinkwrap.json': npm,
  'yarn.lock': (express) => `# yarn lockfile v1


"@scope/tool@1.2.3":
  version "1.2.3"

express@^4.0.0, express@${express}:
  version "5.1.0"
  dependencies:
    jest "^1.0.0"

"jest@npm:@other/jest@^30.0.0":
  version "30.0.0"
`,
  'pnpm-lock.yaml': (express) => `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '@scope/tool':
        specifier: 1.2.3
        version: 1.2.3
      express:
        specifier: ${express}
        version: 5.1.0
    devDependencies:
      jest:
        specifier: 'npm:@other/jest@^30.0.0'
        version: '@other/jest@30.0.0'

  packages/a:
    dependencies:
      express:
        specifier: ^5.1.0
        version: 5.1.0
`,
  'bun.lock': (express) => `{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "dependencies": { "express": "${express}", "@scope/tool": "1.2.3", },
      "devDependencies": { "jest": "npm:@other/jest@^30.0.0", },
    },
  },
}
`,
};

describe.each(Object.entries(LOCKFILES))('%s', (name, text) => {
  it('holds what package.json asks for', async () => {
    expect(await find({ 'package.json': PACKAGE, [name]: text('^5.1.0') })).toEqual([]);
  });

  it('is stale once package.json asks for another version', async () => {
    const message = `package.json asks for what ${name} does not hold: express@^5.1.0.`;
    expect(await find({ 'package.json': PACKAGE, [name]: text('^4.0.0') })).toEqual([
      { code: 'lockfile_stale', place: name, message },
    ]);
  });

  it('is stale once package.json asks for another package', async () => {
    const asked = JSON.stringify({ optionalDependencies: { fresh: '1' } });
    const message = `package.json asks for what ${name} does not hold: fresh@1.`;
    expect(await find({ 'package.json': asked, [name]: text('1') })).toEqual([
      { code: 'lockfile_stale', place: name, message },
    ]);
  });

  it('cannot be read', async () => {
    expect(await find({ 'package.json': PACKAGE, [name]: '<<<<<<< HEAD\n' })).toEqual([
      { code: 'lockfile_invalid', place: name, message: `${name} cannot be read.` },
    ]);
  });
});

describe('other forms', () => {
  it.each<[string, Files]>([
    [
      'package-lock.json of version 1 has names only',
      { 'package-lock.json': '{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}}}' },
    ],
    [
      'yarn.lock since version 2',
      { 'yarn.lock': '__metadata:\n  version: 8\n\n"a@npm:^1.0.0, a@npm:^1.1.0":\n  version: 1.1.0\n' },
    ],
    [
      'pnpm-lock.yaml of a single project',
      {
        'pnpm-lock.yaml': "lockfileVersion: '6.0'\n\ndependencies:\n  a:\n    specifier: ^1.0.0\n    version: 1.0.0\n",
      },
    ],
    [
      'pnpm-lock.yaml with overridden versions',
      {
        'pnpm-lock.yaml':
          "lockfileVersion: '9.0'\n\noverrides:\n  a: 2.0.0\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: 2.0.0\n",
      },
    ],
    ['bun.lockb, which nobody can read', { 'bun.lockb': '#!/usr/bin/env bun' }],
  ])('%s', async (_, lockfile) => {
    expect(await find({ 'package.json': '{"dependencies": {"a": "^1.0.0"}}', ...lockfile })).toEqual([]);
  });
});

describe('several lockfiles', () => {
  it('of two package managers contradict each other', async () => {
    const files = { 'package.json': PACKAGE, 'package-lock.json': npm('^5.1.0'), 'bun.lockb': '' };
    expect(await find(files)).toEqual([
      {
        code: 'lockfiles_mixed',
        place: 'bun.lockb',
        message: expect.stringContaining('package-lock.json and bun.lockb'),
      },
    ]);
  });

  it('of one package manager are fine', async () => {
    const files = { 'package.json': '{}', 'bun.lock': LOCKFILES['bun.lock']!('1'), 'bun.lockb': '' };
    expect(await find(files)).toEqual([]);
  });
});

it.each(['{', '[]', '{"dependencies": {"a": 1}}'])('a package.json that cannot be read: %s', async (text) => {
  expect(await find({ 'package.json': text })).toEqual([
    { code: 'manifest_invalid', place: 'package.json', message: 'package.json cannot be read.' },
  ]);
});
