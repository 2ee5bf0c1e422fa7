import { describe, expect, it } from '@jest/globals';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, withServer } from '../../test/support/command-line.js';
import { temporaryFolder } from '../../test/support/temporary-folder.js';

const cli = withServer();
const temporary = temporaryFolder();
const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

describe('plugin new', () => {
  it('writes a plugin, its test and what they need, under its name', async () => {
    const folder = join(temporary.path, 'deep', 'page-check');
    const { code, stdout } = await run(['plugin', 'new', 'page-check', '--folder', folder]);
    expect(code).toBe(0);
    expect(stdout).toContain(`cd ${folder}\n`);
    const files = await readdir(folder);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'package.json', 'plugin.test.ts', 'plugin.ts']));
    for (const file of files) expect(await readFile(join(folder, file), 'utf8')).not.toContain('{{');
    expect(await readFile(join(folder, 'plugin.ts'), 'utf8')).toContain("name: 'page-check'");
    expect(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      name: 'flukedeploy-plugin-page-check',
      devDependencies: { flukedeploy: `file:${root}` },
    });
  });

  it('takes an empty folder', async () => {
    expect((await run(['plugin', 'new', 'page-check', '--folder', temporary.path])).code).toBe(0);
  });

  it('leaves a folder alone that holds something', async () => {
    await writeFile(join(temporary.path, 'mine.txt'), 'mine');
    const { code, stderr } = await run(['plugin', 'new', 'page-check', '--folder', temporary.path]);
    expect(code).toBe(2);
    expect(stderr).toContain(`folder: ${temporary.path} is not empty`);
    expect(await readdir(temporary.path)).toEqual(['mine.txt']);
  });

  it('says so where no folder can be made', async () => {
    const file = join(temporary.path, 'file');
    await writeFile(file, '');
    const { code, stderr } = await run(['plugin', 'new', 'page-check', '--folder', file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`folder: ${file} cannot be made`);
  });

  it.each(['Page', 'page_check', '-page', '../page', '', 'p'.repeat(51)])('refuses the name "%s"', async (name) => {
    const folder = join(temporary.path, 'new');
    await mkdir(folder);
    const { code, stderr } = await run(['plugin', 'new', '--folder', folder, '--', name]);
    expect(code).toBe(2);
    expect(stderr).toContain("argument 'name'. It must be lower-case letters, digits and dashes");
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('plugin list', () => {
  const answer = {
    plugins: [
      {
        name: 'source-check',
        version: '0.1.0',
        origin: 'built-in',
        about: 'Reads the Dockerfile.',
        hooks: { pre_build: { timeout_seconds: 60, on_failure: 'fail' } },
        after: [],
        enabled: 'always',
      },
      {
        name: 'page-check',
        version: '1.2.0',
        origin: 'external',
        about: 'Asks for a page.',
        hooks: {
          post_deploy: { timeout_seconds: 30, on_failure: 'fail' },
          pre_build: { timeout_seconds: 60, on_failure: 'warn' },
        },
        after: ['source-check'],
        option_schema: { type: 'object' },
        enabled: 'on_request',
      },
    ],
  };

  it('is a table', async () => {
    cli.server.answer(() => ({ json: answer }));
    const { code, stdout } = await cli.run('plugin list');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'PLUGIN        VERSION  ORIGIN    ENABLED     HOOKS                   ABOUT',
      'source-check  0.1.0    built-in  always      pre_build               Reads the Dockerfile.',
      'page-check    1.2.0    external  on request  pre_build, post_deploy  Asks for a page.',
      '',
    ]);
    expect(cli.server.requests.map(({ route }) => route)).toEqual(['GET /api/v1/plugins']);
  });

  it('--json is the answer itself', async () => {
    cli.server.answer(() => ({ json: answer }));
    expect(JSON.parse((await cli.run('plugin list --json')).stdout)).toEqual(answer);
  });
});
