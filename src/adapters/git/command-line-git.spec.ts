/** CommandLineGit against a real git server over HTTP. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GitServer, makeRepository, startGitServer } from '../../../test/support/git-server.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { CommandLineGit } from './command-line-git.js';

const TOKEN = 'token-of-the-test-47';
const never = new AbortController().signal;
const temporary = temporaryFolder();

let root: string;
let server: GitServer;
let closed: GitServer;
let commits: string[];
let remote: CommandLineGit;
const others: Server[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-git-'));
  commits = await makeRepository(
    root,
    'app.git',
    { files: { 'old.txt': 'first' } },
    { files: { Dockerfile: 'FROM scratch\n', 'bin/run': { program: '#!/bin/sh\n' } }, tag: 'v1.0.0' },
    { files: { 'feature.txt': 'x', 'lib/link': { link: '../feature.txt' } }, branch: 'feature/one' },
  );
  await makeRepository(root, 'empty.git');
  server = await startGitServer({ root });
  closed = await startGitServer({ root, token: TOKEN });
  remote = new CommandLineGit({ allowedHosts: [server.host, closed.host] });
});
afterAll(async () => {
  await Promise.all([server.stop(), closed.stop()]);
  await rm(root, { recursive: true, force: true });
});
afterEach(() => others.splice(0).forEach((other) => other.close()));

/** Starts a server that is closed after the test; answers `127.0.0.1:port`. */
async function listen(other: Server): Promise<string> {
  others.push(other.listen(0, '127.0.0.1'));
  await once(other, 'listening');
  return `127.0.0.1:${(other.address() as AddressInfo).port}`;
}

const url = (name = 'app.git', at = server) => `${at.url}/${name}`;
const checkout = (commit: string, address = url(), token?: string, using = remote) =>
  using.checkout(address, commit, token, temporary.path, never);

describe('resolve', () => {
  it.each([
    ['a branch', 'main', 1],
    ['a branch with a slash', 'feature/one', 2],
    ['an annotated tag, as the commit behind it', 'v1.0.0', 1],
    ['a full name', 'refs/heads/feature/one', 2],
    ['a full name of a tag', 'refs/tags/v1.0.0', 1],
    ['the default branch', '', 1],
  ])('%s', async (_name, ref, index) => {
    expect(await remote.resolve(url(), ref, undefined)).toBe(commits[index]);
  });

  it('a full commit id, without asking', async () => {
    const before = server.requests.length;
    expect(await remote.resolve(url(), commits[0]!, undefined)).toBe(commits[0]);
    expect(server.requests).toHaveLength(before);
  });

  it('takes the branch where a tag has the same name', async () => {
    const [first, second] = await makeRepository(
      root,
      'twins.git',
      { files: { a: '1' }, tag: 'both' },
      { files: { a: '2' }, branch: 'both' },
    );
    expect(first).not.toBe(second);
    expect(await remote.resolve(url('twins.git'), 'both', undefined)).toBe(second);
  });

  it.each(['nope', 'heads/main', 'ain', 'MAIN'])('knows no %s', async (ref) => {
    await expect(remote.resolve(url(), ref, undefined)).rejects.toMatchObject({
      code: 'git_ref_not_found',
      message: expect.stringContaining(ref),
    });
  });

  it.each(['--upload-pack=touch /tmp/x', '-h', 'main;id', '$(id)', '*', 'a b', 'main\nmain'])(
    'refuses %j',
    async (ref) => {
      await expect(remote.resolve(url(), ref, undefined)).rejects.toMatchObject({ code: 'git_ref_not_found' });
    },
  );

  it('says that a repository is empty', async () => {
    await expect(remote.resolve(url('empty.git'), '', undefined)).rejects.toMatchObject({
      code: 'git_ref_not_found',
      message: expect.stringContaining('empty'),
    });
  });

  it('says that a repository does not exist', async () => {
    await expect(remote.resolve(url('missing.git'), 'main', undefined)).rejects.toMatchObject({
      code: 'git_unreachable',
      message: expect.stringContaining('no git repository'),
      evidence: expect.arrayContaining([expect.stringContaining('not found')]),
    });
  });
});

describe('the token', () => {
  it('opens the repository', async () => {
    expect(await remote.resolve(url('app.git', closed), 'main', TOKEN)).toBe(commits[1]);
    await checkout(commits[1]!, url('app.git', closed), TOKEN);
    expect(await readdir(temporary.path)).toEqual(['Dockerfile', 'bin']);
  });

  it.each([
    [undefined, 'send a token'],
    ['wrong-token-1234', 'refused the token'],
  ])('%s: the answer says so, and holds no secret', async (token, message) => {
    const error = await remote.resolve(url('app.git', closed), 'main', token).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'git_unreachable', message: expect.stringContaining(message) });
    expect(JSON.stringify(error)).not.toContain('wrong-token-1234');
  });

  it('is masked where a server sends it back', async () => {
    const echo = createServer((request, response) => {
      const { authorization = '' } = request.headers;
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`you sent ${authorization} and ${Buffer.from(authorization.slice(6), 'base64').toString()}`);
    });
    const host = await listen(echo);
    const error = await new CommandLineGit({ allowedHosts: [host] })
      .resolve(`http://${host}/r.git`, 'main', TOKEN)
      .catch((reason: unknown) => reason as Error & { evidence: string[] });
    expect(error).toMatchObject({
      code: 'git_unreachable',
      evidence: [expect.stringContaining('***'), expect.anything()],
    });
    expect(JSON.stringify(error)).not.toContain(TOKEN);
    expect(JSON.stringify(error)).not.toContain(Buffer.from(`oauth2:${TOKEN}`).toString('base64'));
  });

  it('is not in the arguments of any process', async () => {
    let commandLines: string[] = [];
    const observer = createServer((_request, response) => {
      void allCommandLines().then((lines) => {
        commandLines = lines;
        response.writeHead(404).end();
      });
    });
    const host = await listen(observer);
    const asking = new CommandLineGit({ allowedHosts: [host] }).resolve(`http://${host}/r.git`, 'main', TOKEN);
    await expect(asking).rejects.toMatchObject({ code: 'git_unreachable' });
    expect(commandLines.filter((line) => line.includes(host))).not.toHaveLength(0);
    expect(commandLines.filter((line) => line.includes(TOKEN))).toEqual([]);
  });

  it('is not sent over http to a host that is not listed', async () => {
    await expect(remote.resolve('http://github.com/o/r', 'main', TOKEN)).rejects.toMatchObject({
      code: 'git_host_refused',
      message: expect.stringContaining('use https'),
    });
  });
});

describe('where it may go', () => {
  it.each(['ssh://git@example.com/r', 'file:///etc', 'https://user:secret@example.com/r', '--upload-pack=id', '/etc'])(
    'refuses the URL %s',
    async (address) => {
      await expect(remote.resolve(address, 'main', undefined)).rejects.toMatchObject({ code: 'invalid_field' });
      await expect(checkout(commits[0]!, address)).rejects.toMatchObject({ code: 'invalid_field' });
    },
  );

  it('refuses hosts inside, for commit ids too, and says nothing to them', async () => {
    const before = server.requests.length;
    const strict = new CommandLineGit({ allowedHosts: ['example.com'] });
    await expect(strict.resolve(url(), commits[0]!, undefined)).rejects.toMatchObject({ code: 'git_host_refused' });
    await expect(checkout(commits[0]!, url(), undefined, strict)).rejects.toMatchObject({ code: 'git_host_refused' });
    expect(server.requests).toHaveLength(before);
  });

  it('reaches a host by its name at the address that was checked', async () => {
    const { port } = new URL(server.url);
    const named = new CommandLineGit({ allowedHosts: ['localhost'] });
    expect(await named.resolve(`http://localhost:${port}/app.git`, 'main', undefined)).toBe(commits[1]);
  });

  it('follows no redirect', async () => {
    const away = createServer((request, response) => {
      response.writeHead(302, { location: `${server.url}${request.url ?? ''}` }).end();
    });
    const host = await listen(away);
    const before = server.requests.length;
    const strict = new CommandLineGit({ allowedHosts: [host] });
    await expect(strict.resolve(`http://${host}/app.git`, 'main', undefined)).rejects.toMatchObject({
      code: 'git_unreachable',
      message: expect.stringContaining('redirects'),
    });
    expect(server.requests).toHaveLength(before);
  });

  it('finds the repository where a host redirects to its name with .git', async () => {
    const gitlab = createServer((request, response) => {
      const path = request.url ?? '';
      if (!path.startsWith('/app.git/')) {
        response.writeHead(301, { location: path.replace('/app/', '/app.git/') }).end();
        return;
      }
      void fetch(`${server.url}${path}`).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    });
    const host = await listen(gitlab);
    const through = new CommandLineGit({ allowedHosts: [host] });
    expect(await through.resolve(`http://${host}/app`, commits[1]!, undefined)).toBe(commits[1]);
    expect(await through.resolve(`http://${host}/app`, 'refs/heads/main', undefined)).toBe(commits[1]);
  });
});

async function allCommandLines(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => 'ended meanwhile')));
}
