import { describe, expect, it } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runHook, sourceFolder, type SourceFiles } from '../../plugin/testing.js';
import { sourceCheck } from './index.js';

const check = (source: SourceFiles, options = {}) => runHook(sourceCheck, 'pre_build', { source, options });

const codes = async (files: SourceFiles, options = {}) =>
  (await check(files, options)).findings.map(({ code, place }) => `${code} ${place}`);

const GOOD = { Dockerfile: 'FROM node:24\nCMD ["node", "main.js"]\n', 'main.js': '' };

it('says that a good source is in order', async () => {
  const { findings, logs } = await check(GOOD);
  expect(findings).toEqual([]);
  expect(logs).toEqual([{ level: 'info', message: 'Dockerfile and the source are in order' }]);
});

it('tells every finding with its severity, place and hint', async () => {
  const { findings } = await check({
    ...GOOD,
    Dockerfile: 'FROM node\n',
    'package.json': '{"dependencies": {"a": "1"}}',
  });
  expect(findings).toEqual([
    {
      severity: 'warning',
      code: 'base_image_untagged',
      place: 'Dockerfile:1',
      message: 'The base image node has no version.',
      hint: expect.stringContaining('node:24-alpine'),
    },
    {
      severity: 'warning',
      code: 'lockfile_missing',
      place: 'package.json',
      message: expect.stringContaining('package-lock.json or'),
      hint: expect.stringContaining('Commit the lockfile'),
    },
  ]);
});

describe('a Dockerfile', () => {
  it('that cannot be built is an error, line by line, and not judged by its style', async () => {
    const { findings, logs } = await check({ Dockerfile: 'FROM node\nCOPPY a b\nRUM c\n' });
    expect(findings).toEqual([
      {
        severity: 'error',
        code: 'dockerfile_invalid',
        place: 'Dockerfile:2',
        message: 'Dockerfile is not valid: line 2: unknown instruction COPPY.',
        hint: expect.any(String),
      },
      expect.objectContaining({ code: 'dockerfile_invalid', place: 'Dockerfile:3' }),
    ]);
    expect(logs).toEqual([]);
  });

  it('that is missing is an error', async () => {
    expect(await codes({ 'main.js': '' })).toEqual(['definition_missing Dockerfile']);
  });

  it('that is a link to the outside counts as missing', async () => {
    await using workspace = await sourceFolder({});
    await symlink('/etc/hostname', join(workspace.folder, 'Dockerfile'));
    const { findings } = await runHook(sourceCheck, 'pre_build', { workspace });
    expect(findings).toMatchObject([{ code: 'definition_missing', place: 'Dockerfile' }]);
  });
});

describe('captain-definition', () => {
  it.each([
    ['{"schemaVersion": 2, "dockerfilePath": "./Dockerfile"}', []],
    ['{"schemaVersion": 1}', ['definition_invalid captain-definition']],
    ['{', ['definition_invalid captain-definition']],
    ['{"schemaVersion": 2, "templateId": "node/24"}', ['template_unsupported captain-definition']],
  ])('%s', async (text, expected) => {
    expect(await codes({ ...GOOD, 'captain-definition': text })).toEqual(expected);
  });
});

describe('what is sent to the build', () => {
  const source = { ...GOOD, '.env': 'A=1\n', 'node_modules/a/index.js': '', 'tls/key.pem': '' };
  const unwanted = ['context_unneeded node_modules', 'context_sensitive .env', 'context_sensitive tls/key.pem'];

  it('is named when it should not be', async () => {
    expect(await codes(source)).toEqual(unwanted);
  });

  it('is not named when .dockerignore names it', async () => {
    expect(await codes({ ...source, '.dockerignore': 'node_modules\n.env*\n**/*.pem\n' })).toEqual([]);
  });

  it("is what the Dockerfile's own ignore file says, where there is one", async () => {
    const ignored = { 'Dockerfile.dockerignore': '.env\n', '.dockerignore': 'node_modules\ntls\n' };
    expect(await codes({ ...source, ...ignored })).toEqual([unwanted[0], unwanted[2]]);
  });

  it('is measured by the limits of the options', async () => {
    const files = {
      ...GOOD,
      'large.bin': 'x'.repeat(2048),
      '.dockerignore': 'ignored.bin',
      'ignored.bin': 'x'.repeat(9999),
    };
    const options = { max_total_mb: 2048 / 1024 / 1024, max_file_mb: 2047 / 1024 / 1024, max_files: 3 };
    expect(await codes(files, options)).toEqual([
      'context_too_large .',
      'file_too_large large.bin',
      'context_too_many_files .',
    ]);
  });
});

describe('the options', () => {
  it('switch off single rules', async () => {
    const files = { Dockerfile: 'FROM node:latest\nRUN cd /app\n', '.env': '' };
    expect(await codes(files, { ignore: ['run_cd', 'context_sensitive'] })).toEqual(['base_image_latest Dockerfile:1']);
  });

  it.each([[{ ignore: ['no_such_rule'] }], [{ max_files: 0 }], [{ unknown: true }]])('refuse %j', async (options) => {
    expect((await check(GOOD, options)).failure?.code).toBe('plugin_options_invalid');
  });
});

it('shows a hundred findings at most, and says how many more there are', async () => {
  const { findings, logs } = await check({ Dockerfile: `FROM node:24\n${'RUN sudo a\n'.repeat(103)}` });
  expect(findings).toHaveLength(100);
  expect(logs).toEqual([{ level: 'warn', message: '3 more findings are not shown' }]);
});

it('stops when the deployment is cancelled', async () => {
  const { failure, logs } = await runHook(sourceCheck, 'pre_build', { source: GOOD, signal: AbortSignal.abort() });
  expect(failure?.code).toBe('cancelled');
  expect(logs).toEqual([]); // at its end it would have told what it found
});
