import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type RunOptions } from '../../test/support/command-line.js';
import { ScriptedServer } from '../../test/support/scripted-server.js';
import { temporaryFolder } from '../../test/support/temporary-folder.js';

const temporary = temporaryFolder();
const server = new ScriptedServer();
let tokens = 0;

beforeEach(async () => {
  tokens = 0;
  await server.start();
  server.answer(({ route, json, headers }) => {
    if (route === 'POST /api/v1/session') {
      const right = (json as { password: string }).password === 'right horse';
      return right
        ? { status: 201, json: { token: 'session' } }
        : { status: 401, json: { code: 'wrong_password', title: 'The password is wrong.' } };
    }
    if (route === 'POST /api/v1/tokens' && headers.authorization === 'Bearer session')
      return { status: 201, json: { id: `t${++tokens}`, token: `fd_${tokens}` } };
    if (route.startsWith('DELETE /api/v1/tokens/')) return { status: 200 };
    if (route === 'GET /api/v1/apps/web/deployments') return { json: { deployments: [], total: 0 } };
    return { status: 404, json: { title: 'not scripted' } };
  });
});
afterEach(async () => {
  server.requests.length = 0;
  await server.stop();
});

const file = () => join(temporary.path, 'flukedeploy/config.json');
const command = (line: string, { environment, ...options }: RunOptions = {}) =>
  run(line.split(' '), { environment: { XDG_CONFIG_HOME: temporary.path, ...environment }, ...options });
const login = (options: RunOptions = {}) =>
  command(`login ${server.url} --password-stdin`, { stdin: 'right horse\n', ...options });

describe('login', () => {
  it('exchanges the password for a token that only the user can read', async () => {
    expect(await login()).toMatchObject({ code: 0, stdout: expect.stringContaining(server.url) });
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ url: server.url, token: 'fd_1', token_id: 't1' });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(server.to('POST /api/v1/tokens')[0]?.json).toEqual({
      name: expect.stringMatching(/.@./),
      scopes: ['read', 'deploy', 'rollback', 'apps:write'],
    });
    await command('history web');
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer fd_1');
  });

  it('takes the password from a file too', async () => {
    const path = join(temporary.path, 'password');
    await writeFile(path, 'right horse\n');
    expect(await command(`login ${server.url} --password-file ${path}`)).toMatchObject({ code: 0 });
  });

  it('tries a wrong password once, and keeps nothing', async () => {
    const { code, stderr } = await login({ stdin: 'wrong' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: The password is wrong. (wrong_password)\n' });
    expect(server.requests).toHaveLength(1);
    await expect(stat(file())).rejects.toThrow('ENOENT');
  });

  it('asks nobody where there is no terminal', async () => {
    expect(await command(`login ${server.url}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--password-stdin'),
    });
  });

  it('again revokes the token it replaces', async () => {
    await login();
    await login();
    expect(server.requests.at(-1)?.route).toBe('DELETE /api/v1/tokens/t1');
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ token: 'fd_2' });
  });

  it.each(['localhost:3000', 'ftp://example.com', 'http://user:secret@example.com'])(
    'refuses the address %s',
    async (url) => {
      expect(await command(`login ${url} --password-stdin`, { stdin: 'x' })).toMatchObject({ code: 2 });
    },
  );
});

describe('without a login', () => {
  it('the error is the command to run', async () => {
    expect(await command('history web')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: Not logged in. Run: flukedeploy login http://localhost:3000\n',
    });
  });

  it('the environment is enough, and wins over what is stored', async () => {
    await login();
    const environment = { FLUKEDEPLOY_URL: `${server.url}/`, FLUKEDEPLOY_TOKEN: 'fd_environment' };
    expect(await command('history web', { environment })).toMatchObject({ code: 0 });
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer fd_environment');
  });

  it('to this very server a stored token is not sent', async () => {
    await login();
    const before = server.requests.length;
    const other = server.url.replace('127.0.0.1', 'localhost');
    expect(await command('history web', { environment: { FLUKEDEPLOY_URL: other } })).toMatchObject({
      code: 2,
      stderr: `error: Not logged in to ${other}. Run: flukedeploy login ${other}\n`,
    });
    expect(server.requests).toHaveLength(before);
  });

  it('and with a damaged file, the error says so', async () => {
    await login();
    await writeFile(file(), '{"url":');
    expect(await command('history web')).toMatchObject({ code: 2, stderr: expect.stringContaining('is damaged') });
  });
});

describe('logout', () => {
  it('forgets the token and says how to revoke it', async () => {
    await login();
    const { stdout, stderr } = await command('logout');
    expect(stdout).toBe(`Logged out of ${server.url}.\n`);
    expect(stderr).toContain('DELETE');
    expect(await command('history web')).toMatchObject({ code: 2 });
  });
});
