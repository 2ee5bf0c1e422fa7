/** Checkouts of hostile, large and old repositories, and how git is stopped. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addCommit,
  git,
  type GitServer,
  makeRepository,
  type RepositoryFile,
  startGitServer,
} from '../../../test/support/git-server.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { CommandLineGit } from './command-line-git.js';
import { gitAccess } from './git-access.js';
import { runGit } from './git-process.js';

const never = new AbortController().signal;
const temporary = temporaryFolder();
const UNKNOWN = 'f'.repeat(40);

let root: string;
let server: GitServer;
let old: GitServer;
let remote: CommandLineGit;
let made = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-git-'));
  server = await startGitServer({ root });
  old = await startGitServer({ root, old: true });
  remote = new CommandLineGit({ allowedHosts: [server.host, old.host], maxBytes: 1024 * 1024 });
});
afterAll(async () => {
  await Promise.all([server.stop(), old.stop()]);
  await rm(root, { recursive: true, force: true });
});

/** A new repository with one commit for each list of files. */
async function repositoryOf(...lists: Record<string, RepositoryFile>[]) {
  made += 1;
  const name = `${made}.git`;
  return { name, commits: await makeRepository(root, name, ...lists.map((files) => ({ files }))) };
}

const checkout = (name: string, commit: string, at = server) =>
  remote.checkout(`${at.url}/${name}`, commit, undefined, temporary.path, never);

describe('checkout', () => {
  it('gives the files of the commit: programs, links that stay inside, and nothing of git', async () => {
    const { name, commits } = await repositoryOf(
      { Dockerfile: 'FROM scratch\n', 'bin/run': { program: '#!/bin/sh\n' }, 'lib/link': { link: '../Dockerfile' } },
      { later: 'x' },
    );
    await checkout(name, commits[0]!);
    expect((await readdir(temporary.path)).sort()).toEqual(['Dockerfile', 'bin', 'lib']);
    expect(await readFile(join(temporary.path, 'Dockerfile'), 'utf8')).toBe('FROM scratch\n');
    expect((await lstat(join(temporary.path, 'bin/run'))).mode & 0o111).toBe(0o111);
    expect(await readlink(join(temporary.path, 'lib/link'))).toBe('../Dockerfile');
  });

  it('gets older commits from servers that give out branches and tags only', async () => {
    const { name, commits } = await repositoryOf({ first: '1' }, { second: '2' }, { third: '3' });
    await checkout(name, commits[1]!, old);
    expect(await readdir(temporary.path)).toEqual(['second']);
    expect(old.requests.filter((request) => request.includes(name)).length).toBeGreaterThan(2);
  });

  it.each(['server', 'old'] as const)('says that the repository has no such commit (%s)', async (kind) => {
    const { name } = await repositoryOf({ a: '1' });
    await expect(checkout(name, UNKNOWN, kind === 'old' ? old : server)).rejects.toMatchObject({
      code: 'git_ref_not_found',
      message: expect.stringContaining(UNKNOWN),
    });
  });

  it.each(['main', '--upload-pack=id', 'abc1234'])('takes full commit ids only, not %s', async (commit) => {
    await expect(checkout('any.git', commit)).rejects.toMatchObject({ code: 'git_ref_not_found' });
  });

  it('says that the repository does not exist', async () => {
    await expect(checkout('missing.git', UNKNOWN)).rejects.toMatchObject({ code: 'git_unreachable' });
  });
});

describe('hostile repositories', () => {
  it.each([
    ['/etc/passwd', 'link'],
    ['../../outside', 'deep/link'],
    ['a/../../..', 'link'],
  ])('a link to %s is refused and named', async (link, path) => {
    const { name, commits } = await repositoryOf({ [path]: { link }, file: 'x' });
    await expect(checkout(name, commits[0]!)).rejects.toMatchObject({
      code: 'archive_unsafe',
      message: expect.stringContaining(path),
    });
  });

  it('submodules are left alone', async () => {
    const { name } = await repositoryOf({ file: 'x' });
    const repository = join(root, name);
    const modules = '[submodule "sub"]\n\tpath = sub\n\turl = file:///etc\n';
    const withModules = await addCommit(repository, { files: { file: 'x', '.gitmodules': modules } });
    const entries = `${await git('--git-dir', repository, 'ls-tree', withModules)}\n160000 commit ${UNKNOWN}\tsub\n`;
    const commit = await commitTree(repository, entries);
    await checkout(name, commit);
    expect((await readdir(temporary.path)).sort()).toEqual(['.gitmodules', 'file', 'sub']);
    expect(await readdir(join(temporary.path, 'sub'))).toEqual([]);
  });

  it.each(['..', '.git', '.GIT', '.'])('a tree with an entry called %s is refused', async (entry) => {
    const { name, commits } = await repositoryOf({ 'inner/file': 'x' });
    const repository = join(root, name);
    const inner = await git('--git-dir', repository, 'rev-parse', `${commits[0]!}:inner`);
    const commit = await commitTree(repository, `040000 tree ${inner}\t${entry}\n`);
    await expect(checkout(name, commit)).rejects.toMatchObject({ code: 'archive_unsafe' });
    expect((await readdir(temporary.path)).filter((found) => found !== '.git')).toEqual([]);
  });

  it('a commit that names the same folder again and again is refused before it is written', async () => {
    const { name, commits } = await repositoryOf({ file: 'x' });
    const repository = join(root, name);
    let tree = await git('--git-dir', repository, 'rev-parse', `${commits[0]!}^{tree}`);
    let commit = '';
    for (let level = 0; level < 9; level += 1) {
      const ten = Array.from({ length: 10 }, (_, index) => `040000 tree ${tree}\td${index}\n`).join('');
      commit = await commitTree(repository, ten);
      tree = await git('--git-dir', repository, 'rev-parse', `${commit}^{tree}`);
    }
    await expect(checkout(name, commit)).rejects.toMatchObject({ code: 'archive_too_large' });
    expect(await readdir(temporary.path)).toEqual(['.git']);
  });

  it('more bytes than allowed are refused before they are written', async () => {
    const { name, commits } = await repositoryOf({ big: 'x'.repeat(1024 * 1024 + 1) });
    await expect(checkout(name, commits[0]!)).rejects.toMatchObject({ code: 'archive_too_large' });
    expect(await readdir(temporary.path)).toEqual(['.git']);
  });
});

it('git connects to the address that was checked, whatever name servers say of the name', async () => {
  const { name, commits } = await repositoryOf({ a: '1' });
  const url = new URL(`http://known-to-nobody.invalid:${new URL(server.url).port}/${name}`);
  const { options, environment } = gitAccess(url, ['127.0.0.1'], undefined);
  const listed = await runGit({ args: [...options, 'ls-remote', '--', url.href], environment, signal: never });
  expect(listed.stdout).toContain(commits[0]!);
});

describe('a host that does not answer', () => {
  it('is given up after the time that resolve may take', async () => {
    const { host, stop } = await silentServer();
    const impatient = new CommandLineGit({ allowedHosts: [host], timeoutMs: 300 });
    await expect(impatient.resolve(`http://${host}/r.git`, 'main', undefined)).rejects.toMatchObject({
      code: 'git_unreachable',
      message: expect.stringContaining('300 ms'),
    });
    await stop();
  });

  it('is left when the checkout is stopped, with all processes', async () => {
    const { host, stop, connected } = await silentServer();
    const controller = new AbortController();
    const reason = new Error('cancelled by a person');
    const waiting = new CommandLineGit({ allowedHosts: [host] });
    const running = waiting.checkout(`http://${host}/r.git`, UNKNOWN, undefined, temporary.path, controller.signal);
    const ended = expect(running).rejects.toBe(reason);
    // The helper of git, not git itself, holds the connection: it closes only when the whole group has ended.
    const socket = await connected;
    controller.abort(reason);
    await ended;
    if (!socket.destroyed) await once(socket, 'close');
    await stop();
  });
});

async function silentServer() {
  const silent = createServer((socket) => socket.resume().on('error', () => undefined));
  const connected = once(silent, 'connection').then(([socket]) => socket as Socket);
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const stop = async () => {
    (await connected).destroy();
    silent.close();
  };
  return { host: `127.0.0.1:${(silent.address() as AddressInfo).port}`, connected, stop };
}

/** Commits a tree that git's own commands would not make, and lets the branch main name it. */
async function commitTree(repository: string, entries: string): Promise<string> {
  const child = spawn('git', ['--git-dir', repository, 'mktree', '--missing'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(entries);
  const tree = (await child.stdout.setEncoding('utf8').toArray()).join('').trim();
  const commit = await git('--git-dir', repository, 'commit-tree', tree, '-m', 'hostile');
  await git('--git-dir', repository, 'update-ref', 'refs/heads/main', commit);
  return commit;
}
