/** SourceWorkspace on a real disk, with real archives, a real git server and real encryption. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TarArchives } from '../../adapters/archive/tar-archives.js';
import { AesGcmSecrets } from '../../adapters/crypto/aes-gcm-secrets.js';
import { CommandLineGit } from '../../adapters/git/command-line-git.js';
import type { Source } from '../../domain/app-spec.js';
import type { DeploymentRecord, DeploymentStore } from '../../domain/ports.js';
import { type GitServer, makeRepository, startGitServer } from '../../../test/support/git-server.js';
import { file, folder, inChunks, symbolicLink, tar, tarOf } from '../../../test/support/tar.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { SourceWorkspace, WorkspaceOptions } from './source-workspace.js';

const ID = 'dep-01jd0000000000000000000000';
const TOKEN = 'token-of-the-test-47';
const DEFINITION = (fields: object) => JSON.stringify({ schemaVersion: 2, ...fields });
const never = new AbortController().signal;
const secrets = new AesGcmSecrets(randomBytes(32));
const temporary = temporaryFolder();

let root: string;
let server: GitServer;
let commit: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-git-'));
  [commit = ''] = await makeRepository(root, 'app.git', { files: { Dockerfile: 'FROM scratch\n' } });
  server = await startGitServer({ root, token: TOKEN });
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

const directory = () => join(temporary.path, 'workspaces');

/** The workspace, where the store gives `archive`; `reads` counts how often it was asked. */
function workspaceWith(archive: Buffer = Buffer.alloc(0)) {
  const counted = { reads: 0 };
  const store = {
    readArchive: () => {
      counted.reads += 1;
      return inChunks(archive);
    },
  } as unknown as DeploymentStore;
  const archives = new TarArchives({ maxBytes: 10 * 1024 * 1024 });
  const git = new CommandLineGit({ allowedHosts: [server.host] });
  const workspace = new SourceWorkspace(archives, git, store, secrets, new WorkspaceOptions(directory()));
  return { workspace, counted };
}

function recordOf(source: Source): DeploymentRecord {
  const identity = { app_name: 'shop', environment: 'production' };
  return { id: ID, spec: { source }, state: { identity } } as unknown as DeploymentRecord;
}

const ARCHIVE = recordOf({ kind: 'archive', bytes: 0, sha256: '' });
const openArchive = (archive: Buffer) => workspaceWith(archive).workspace.open(ARCHIVE, never);
const read = (...path: string[]) => readFile(join(directory(), ID, ...path), 'utf8');

describe('where the definition is found', () => {
  it.each<[string, Buffer, string, string]>([
    ['a Dockerfile at the root', tarOf({ Dockerfile: 'FROM a', 'src/x': '' }), '', 'Dockerfile'],
    [
      'a Dockerfile in the single top folder',
      tarOf({ 'app/Dockerfile': 'FROM a', 'app/src/x': '' }),
      'app',
      'Dockerfile',
    ],
    [
      'a single top folder beside what packers leave',
      tarOf({ 'app/Dockerfile': 'FROM a', '__MACOSX/app/x': '', '.DS_Store': '', '._app': '', pax_global_header: '' }),
      'app',
      'Dockerfile',
    ],
    [
      'a captain-definition before a Dockerfile',
      tarOf({
        'captain-definition': DEFINITION({ dockerfilePath: './deploy/File' }),
        Dockerfile: 'a',
        'deploy/File': 'b',
      }),
      '',
      'deploy/File',
    ],
    [
      'a captain-definition in the single top folder, its paths beginning there',
      tarOf({ 'app/captain-definition': DEFINITION({ dockerfilePath: 'deploy/File' }), 'app/deploy/File': 'b' }),
      'app',
      'deploy/File',
    ],
    [
      'a Dockerfile that is a link',
      tar(file('docker/a', 'FROM a'), symbolicLink('Dockerfile', 'docker/a')),
      '',
      'Dockerfile',
    ],
  ])('%s', async (_name, archive, context, dockerfile) => {
    expect(await openArchive(archive)).toEqual({ folder: join(directory(), ID, context), dockerfile });
  });

  it('lines of a captain-definition are written beside a Dockerfile', async () => {
    const definition = DEFINITION({ dockerfileLines: ['FROM scratch', 'COPY . /'] });
    const archive = tarOf({ 'app/captain-definition': definition, 'app/Dockerfile': 'FROM other' });
    const expected = { folder: join(directory(), ID, 'app'), dockerfile: 'Dockerfile.flukedeploy' };
    expect(await openArchive(archive)).toEqual(expected);
    expect(await read('app/Dockerfile.flukedeploy')).toBe('FROM scratch\nCOPY . /\n');
    expect(await read('app/Dockerfile')).toBe('FROM other');
  });

  it('a link in the place of the written file is replaced, not written through', async () => {
    const definition = file('captain-definition', DEFINITION({ dockerfileLines: ['FROM scratch'] }));
    await openArchive(tar(definition, file('precious', 'kept'), symbolicLink('Dockerfile.flukedeploy', 'precious')));
    expect(await read('precious')).toBe('kept');
    expect(await read('Dockerfile.flukedeploy')).toBe('FROM scratch\n');
  });

  it('a captain-definition can name an image', async () => {
    const archive = tarOf({ 'captain-definition': DEFINITION({ imageName: 'nginx:1.27' }) });
    expect(await openArchive(archive)).toEqual({ image: 'nginx:1.27' });
  });

  it.each<[string, Buffer, object]>([
    [
      'neither is there',
      tarOf({ 'b.txt': '', 'a.txt': '' }),
      { code: 'definition_missing', evidence: ['a.txt', 'b.txt'] },
    ],
    ['two top folders', tarOf({ 'a/Dockerfile': 'x', 'b/x': '' }), { code: 'definition_missing' }],
    ['two folders deep', tarOf({ 'a/b/Dockerfile': 'x' }), { code: 'definition_missing', evidence: ['b'] }],
    ['a folder called Dockerfile', tar(folder('Dockerfile'), file('x')), { code: 'definition_missing' }],
    ['a Dockerfile that links nowhere', tar(symbolicLink('Dockerfile', 'x')), { code: 'definition_missing' }],
    [
      'a Dockerfile that links to itself',
      tar(symbolicLink('Dockerfile', 'Dockerfile')),
      { code: 'definition_missing' },
    ],
    ['a huge Dockerfile', tarOf({ Dockerfile: '#'.repeat(2_000_000) }), { code: 'definition_invalid' }],
    [
      'a path that is not there',
      tarOf({ 'captain-definition': DEFINITION({ dockerfilePath: 'nope' }) }),
      { code: 'definition_missing', message: expect.stringContaining('nope') },
    ],
    [
      'a path outside',
      tarOf({ 'captain-definition': DEFINITION({ dockerfilePath: '../../etc/passwd' }) }),
      { code: 'definition_invalid' },
    ],
    [
      'a template',
      tarOf({ 'captain-definition': DEFINITION({ templateId: 'node/20' }) }),
      { code: 'template_unsupported' },
    ],
    ['an evil archive', tarOf({ Dockerfile: 'x', '../x': '' }), { code: 'archive_unsafe' }],
  ])('%s: refused', async (_name, archive, expected) => {
    await expect(openArchive(archive)).rejects.toMatchObject(expected);
  });
});

describe('the other sources', () => {
  it('an image needs no folder', async () => {
    const opened = await workspaceWith().workspace.open(recordOf({ kind: 'image', image: 'nginx' }), never);
    expect(opened).toEqual({ image: 'nginx' });
    await expect(readdir(directory())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a Dockerfile text is built in a folder of its own', async () => {
    const { workspace } = workspaceWith();
    const record = recordOf({ kind: 'dockerfile', dockerfile: 'FROM scratch\n' });
    const expected = { folder: join(directory(), ID), dockerfile: 'Dockerfile' };
    expect(await workspace.open(record, never)).toEqual(expected);
    expect(await workspace.open(record, never)).toEqual(expected);
    expect(await read('Dockerfile')).toBe('FROM scratch\n');
  });

  it.each<[object, object]>([
    [{ imageName: 'nginx' }, { image: 'nginx' }],
    [{ dockerfileLines: ['FROM a'] }, { folder: expect.any(String), dockerfile: 'Dockerfile.flukedeploy' }],
  ])('the captain-definition %j', async (fields, expected) => {
    const record = recordOf({ kind: 'captain_definition', definition: { schemaVersion: 2, ...fields } });
    expect(await workspaceWith().workspace.open(record, never)).toEqual(expected);
  });

  it('a captain-definition without files cannot name one', async () => {
    const definition = { schemaVersion: 2, dockerfilePath: 'Dockerfile' };
    const opening = workspaceWith().workspace.open(recordOf({ kind: 'captain_definition', definition }), never);
    await expect(opening).rejects.toMatchObject({ code: 'definition_missing' });
  });

  it('git gets the token that was sealed for this app, environment and purpose', async () => {
    const url = `${server.url}/app.git`;
    const sealedFor = (context: string) =>
      recordOf({ kind: 'git', url, ref: 'main', commit, token: secrets.seal(TOKEN, context) });
    const { workspace } = workspaceWith();
    await expect(workspace.open(sealedFor('other/production/git'), never)).rejects.toThrow();
    expect(await workspace.open(sealedFor('shop/production/git'), never)).toEqual({
      folder: join(directory(), ID),
      dockerfile: 'Dockerfile',
    });
    expect(await readdir(join(directory(), ID))).toEqual(['Dockerfile']);
  });
});

describe('the folder', () => {
  it('is made once and found again', async () => {
    const { workspace, counted } = workspaceWith(tarOf({ Dockerfile: 'FROM a' }));
    const first = await workspace.open(ARCHIVE, never);
    expect(await workspace.open(ARCHIVE, never)).toEqual(first);
    expect(counted.reads).toBe(1);
  });

  it('is complete or not there, when two attempts make it at the same time', async () => {
    const { workspace } = workspaceWith(tarOf({ Dockerfile: 'FROM a', 'src/x': 'x'.repeat(100_000) }));
    const opened = await Promise.all([1, 2, 3].map(() => workspace.open(ARCHIVE, never)));
    expect(new Set(opened.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(await readdir(directory())).toEqual([ID]);
    expect(await read('src/x')).toHaveLength(100_000);
  });

  it('leaves nothing when it cannot be filled, or is stopped', async () => {
    await expect(openArchive(Buffer.from('not a tar'))).rejects.toMatchObject({ code: 'archive_invalid' });
    expect(await readdir(directory())).toEqual([]);

    const reason = new Error('cancelled by a person');
    const { workspace } = workspaceWith(tarOf({ Dockerfile: 'FROM a' }));
    await expect(workspace.open(ARCHIVE, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await readdir(directory())).toEqual([]);
  });

  it('is disposed of with everything that was left half-way, and other deployments keep theirs', async () => {
    const { workspace } = workspaceWith();
    for (const name of [ID, `${ID}.abc.tmp`, `${ID}0`]) await mkdir(join(directory(), name), { recursive: true });
    await writeFile(join(directory(), ID, 'file'), '');
    await workspace.dispose(ID);
    expect(await readdir(directory())).toEqual([`${ID}0`]);
    await workspace.dispose(ID);
  });

  it('is swept where the deployment is not alive', async () => {
    const { workspace } = workspaceWith();
    for (const name of ['ended', 'ended.abc.tmp', 'alive', 'alive.def.tmp', 'unknown.abc.tmp']) {
      await mkdir(join(directory(), name), { recursive: true });
    }
    const asked: string[] = [];
    await workspace.sweep(async (id) => {
      asked.push(id);
      return id === 'alive';
    });
    expect(asked.sort()).toEqual(['alive', 'ended', 'unknown']);
    expect((await readdir(directory())).sort()).toEqual(['alive', 'alive.def.tmp']);
  });

  it('has nothing to sweep before the first deployment', async () => {
    await workspaceWith().workspace.sweep(async () => false);
    expect(await readdir(directory())).toEqual([]);
  });
});
