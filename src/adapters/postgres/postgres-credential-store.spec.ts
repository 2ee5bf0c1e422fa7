import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { TokenRecord } from '../../domain/ports.js';
import { PostgresCredentialStore } from './postgres-credential-store.js';

jest.setTimeout(60_000);

const LATER = '2099-01-01T00:00:00.000Z';
const BEFORE = '2020-01-01T00:00:00.000Z';
const TOKEN: TokenRecord = { id: 'a1', name: 'ci', scopes: ['read', 'deploy'], created_at: BEFORE };

let postgres: TestDatabase;
let store: PostgresCredentialStore;
beforeAll(async () => {
  postgres = await startTestDatabase();
  store = new PostgresCredentialStore(postgres.database);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.database.query('truncate admin_credential, tokens, sessions');
});

describe('the admin password', () => {
  it('is none at first', async () => {
    expect(await store.adminPasswordHash()).toBeUndefined();
  });

  it('stays the first one, whoever sets it at the same moment', async () => {
    const hashes = Array.from({ length: 20 }, (_, index) => `hash ${String(index)}`);
    const kept = await Promise.all(hashes.map((hash) => store.setAdminPasswordHash(hash, false)));
    expect(new Set(kept)).toEqual(new Set([await store.adminPasswordHash()]));
  });

  it('is replaced when that is asked for', async () => {
    await store.setAdminPasswordHash('first', false);
    expect(await store.setAdminPasswordHash('second', true)).toBe('second');
    expect(await store.adminPasswordHash()).toBe('second');
  });
});

describe('tokens', () => {
  it('come back as they were added, with nothing where nothing was', async () => {
    const full: TokenRecord = { ...TOKEN, id: 'a2', apps: ['web-*'], agent: 'OPERATOR', expires_at: LATER };
    await store.addToken(TOKEN, 'hash 1');
    await store.addToken(full, 'hash 2');
    expect(await store.listTokens()).toEqual([TOKEN, full]);
    expect(await store.findToken('hash 2')).toEqual({ token: full });
  });

  it('are not found by another hash', async () => {
    await store.addToken(TOKEN, 'hash');
    expect(await store.findToken('other')).toBeUndefined();
    expect(await store.findToken('')).toBeUndefined();
  });

  it('are not found once expired', async () => {
    await store.addToken({ ...TOKEN, expires_at: BEFORE }, 'hash');
    expect(await store.findToken('hash')).toBeUndefined();
  });

  it('are not found from the moment they are revoked, and stay listed', async () => {
    await store.addToken(TOKEN, 'hash');
    expect(await store.revokeToken('a1')).toBe(true);
    expect(await store.findToken('hash')).toBeUndefined();
    expect(await store.listTokens()).toEqual([{ ...TOKEN, revoked_at: expect.any(String) }]);
  });

  it('are revoked once, and only if they exist', async () => {
    await store.addToken(TOKEN, 'hash');
    expect(await store.revokeToken('none')).toBe(false);
    await store.revokeToken('a1');
    expect(await store.revokeToken('a1')).toBe(false);
  });

  it('note their use once a minute at most', async () => {
    const lastUse = async () => (await store.listTokens())[0]?.last_used_at;
    await store.addToken(TOKEN, 'hash');
    expect(await lastUse()).toBeUndefined();
    await store.findToken('hash');
    const first = await lastUse();
    expect(first).toBeDefined();
    await store.findToken('hash');
    expect(await lastUse()).toBe(first);
    await postgres.database.query(`update tokens set last_used_at = last_used_at - interval '61 seconds'`);
    await store.findToken('hash');
    expect(Date.parse((await lastUse()) ?? '')).toBeGreaterThan(Date.parse(first ?? ''));
  });
});

describe('sessions', () => {
  it('live until they expire', async () => {
    await store.addSession('live', LATER);
    await store.addSession('over', BEFORE);
    expect(await store.sessionAlive('live')).toBe(true);
    expect(await store.sessionAlive('over')).toBe(false);
    expect(await store.sessionAlive('never')).toBe(false);
  });

  it('are forgotten after their end', async () => {
    await store.addSession('over', BEFORE);
    await store.addSession('live', LATER);
    expect(await postgres.database.query('select hash from sessions')).toEqual([{ hash: 'live' }]);
  });

  it('can all be ended', async () => {
    await store.addSession('live', LATER);
    await store.endSessions();
    expect(await store.sessionAlive('live')).toBe(false);
  });
});
