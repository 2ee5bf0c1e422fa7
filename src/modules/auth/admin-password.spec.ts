import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { establishAdminPassword } from './admin-password.js';
import { hashPassword, verifyPassword } from './passwords.js';

jest.setTimeout(60_000);

let postgres: TestDatabase;
let store: PostgresCredentialStore;
let audit: AuditLog;
let root: string;
beforeAll(async () => {
  postgres = await startTestDatabase();
  store = new PostgresCredentialStore(postgres.database);
  audit = new AuditLog(postgres.database);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.database.query('truncate admin_credential, sessions');
  await audit.begin();
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-spec-'));
});
afterEach(() => rm(root, { recursive: true }));

const start = (machine = 'one') => establishAdminPassword(store, audit.trail, { dataDirectory: join(root, machine) });
const startWith = (given: string) =>
  establishAdminPassword(store, audit.trail, { given, dataDirectory: join(root, 'one') });
const file = (machine = 'one') => join(root, machine, 'admin-password');
const written = async (machine = 'one') => (await readFile(file(machine), 'utf8')).trim();
const isPassword = async (password: string) => verifyPassword(password, (await store.adminPasswordHash()) ?? '');
const changesAudited = async () => (await audit.entries()).length;

describe('the first start', () => {
  it('makes a readable password, for the owner of the file only, and says where it is', async () => {
    expect(await start()).toEqual({ kept: 'file', file: file() });
    expect(await written()).toMatch(/^[a-km-np-z2-9]{20}$/);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, 'one'))).mode & 0o777).toBe(0o700);
    expect(await isPassword(await written())).toBe(true);
    expect(await changesAudited()).toBe(1);
  });

  it('makes one password in one file for processes that start at once', async () => {
    const places = await Promise.all(Array.from({ length: 6 }, () => start()));
    expect(places).toEqual(Array(6).fill({ kept: 'file', file: file() }));
    expect(await isPassword(await written())).toBe(true);
    expect(await readdir(join(root, 'one'))).toEqual(['admin-password']);
    expect(await changesAudited()).toBe(1);
  });

  it('leaves the file on one machine only when several start at once', async () => {
    const machines = ['a', 'b', 'c'];
    const places = await Promise.all(machines.map((machine) => start(machine)));
    expect(places.filter(({ kept }) => kept === 'file')).toHaveLength(1);
    const files = (await Promise.all(machines.map((machine) => readdir(join(root, machine))))).flat();
    expect(files).toEqual(['admin-password']);
  });

  it('takes up what a start left that died before the store knew the password', async () => {
    await start();
    const password = await written();
    await postgres.database.query('truncate admin_credential');
    await start();
    expect(await written()).toBe(password);
    expect(await isPassword(password)).toBe(true);
  });

  it('refuses an empty file instead of an empty password', async () => {
    await start();
    await writeFile(file(), '\n');
    await postgres.database.query('truncate admin_credential');
    await expect(start()).rejects.toThrow('is empty');
    expect(await store.adminPasswordHash()).toBeUndefined();
  });

  it('writes nothing when a password is given', async () => {
    expect(await startWith('given password')).toEqual({ kept: 'environment' });
    expect(await isPassword('given password')).toBe(true);
    expect(await readdir(root)).toEqual([]);
  });
});

describe('later starts', () => {
  it('keep the password and its file', async () => {
    await start();
    const password = await written();
    expect(await start()).toEqual({ kept: 'file', file: file() });
    expect(await written()).toBe(password);
    expect(await changesAudited()).toBe(1);
  });

  it('do not show a file whose password is no longer the one', async () => {
    await start();
    await store.setAdminPasswordHash(await hashPassword('changed elsewhere'), true);
    expect(await start()).toEqual({ kept: 'elsewhere' });
  });

  it('replace it by a given one, end its sessions and remove its file', async () => {
    await start();
    await store.addSession('hash', '2099-01-01T00:00:00Z');
    await startWith('given password');
    expect(await isPassword('given password')).toBe(true);
    expect(await store.sessionAlive('hash')).toBe(false);
    expect(await readdir(join(root, 'one'))).toEqual([]);
  });

  it('keep sessions when the same password is given again', async () => {
    await startWith('given password');
    await store.addSession('hash', '2099-01-01T00:00:00Z');
    await startWith('given password');
    expect(await store.sessionAlive('hash')).toBe(true);
    expect(await changesAudited()).toBe(1);
  });
});
