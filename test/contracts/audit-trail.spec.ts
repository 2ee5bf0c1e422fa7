/** The audit trail on a real PostgreSQL: one chain whoever writes, and no change of the past that is not found where it was made. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { PostgresAuditTrail } from '../../src/adapters/postgres/postgres-audit-trail.js';
import { CHAIN_BEGINNING, verifyChain, type ChainVerdict } from '../../src/domain/audit-chain.js';
import type { AuditEntry, AuditRecord, ChainLink } from '../../src/domain/ports.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const AT = '2026-02-03T10:00:00.123Z';
const WRITERS = 8;
const EACH = 25;

let postgres: TestDatabase;
let database: Database;
let trail: PostgresAuditTrail;

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = postgres.database;
  trail = new PostgresAuditTrail(database);
});
afterAll(() => postgres.stop());
/** Only whoever owns the tables can do this. */
beforeEach(async () => {
  await withoutTriggers(async () => {
    await database.query('truncate audit, audit_intents');
    await database.query('update audit_head set number = $1, hash = $2', [
      CHAIN_BEGINNING.number,
      CHAIN_BEGINNING.hash,
    ]);
  });
});

async function withoutTriggers(work: () => Promise<unknown>): Promise<void> {
  for (const table of ['audit', 'audit_head']) await database.query(`alter table ${table} disable trigger user`);
  await work();
  for (const table of ['audit', 'audit_head']) await database.query(`alter table ${table} enable trigger user`);
}

const record = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  at: AT,
  actor: {
    kind: 'token',
    name: 'ci',
    token_id: '0123456789ab',
    agent: 'OPERATOR',
    on_behalf_of: 'Zoë "the \\ boss" 🚀',
  },
  action: 'app.scale',
  target: 'web/production',
  outcome: 'succeeded',
  ...fields,
});

async function write(count: number): Promise<void> {
  for (let number = 1; number <= count; number++) await trail.audit(record({ target: `app-${number}` }));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const entries = async (): Promise<readonly AuditEntry[]> => (await trail.read({}, { limit: 10_000 })).entries;

async function verdict(anchor?: ChainLink): Promise<ChainVerdict> {
  const until = await trail.head();
  return verifyChain(await entries(), sha256, { after: CHAIN_BEGINNING, until, ...(anchor && { anchor }) });
}

describe('the chain', () => {
  it('gives every field back as it was written, and its hash is that of RFC 8785', async () => {
    const full = record({ rule: 'needs €\ttabs', address: '::1', plan_hash: 'sha256:ab', request_id: 'req-1' });
    await trail.audit(full);
    const [entry] = await entries();
    expect(entry).toEqual({
      ...full,
      number: 1,
      prev_hash: CHAIN_BEGINNING.hash,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await verdict()).toEqual({ valid: true, entries: 1, head: await trail.head() });
  });

  it('is one without gaps, however many write at once, over pools of their own', async () => {
    const pools = Array.from({ length: WRITERS }, () => new Database(database.url));
    const writers = pools.map((pool) => new PostgresAuditTrail(pool));
    const writing = writers.flatMap((writer, index) =>
      Array.from({ length: EACH }, (_, turn) => writer.audit(record({ target: `${index}/${turn}` }))),
    );
    await Promise.all(writing);
    await Promise.all(pools.map((pool) => pool.close()));
    const all = await entries();
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: WRITERS * EACH }, (_, index) => index + 1));
    expect(new Set(all.map(({ target }) => target)).size).toBe(WRITERS * EACH);
    expect(await verdict()).toMatchObject({ valid: true, entries: WRITERS * EACH });
  });

  it('has no gap where an append was taken back', async () => {
    await write(1);
    const failing = database.transaction(async (client) => {
      await client.query(
        `insert into audit (at, actor, action, target, outcome) values (now(), '{}', 'app.delete', 'web', 'succeeded')`,
      );
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
    await write(1);
    expect(await verdict()).toMatchObject({ valid: true, entries: 2 });
  });

  it('takes in the rows of a trail from before it was one, in their order', async () => {
    const fresh = await startTestDatabase();
    try {
      const file = new URL('../../src/adapters/postgres/migrations/0009_audit_chain.sql', import.meta.url);
      await fresh.database.query(`
        drop table audit, audit_head, audit_intents cascade;
        drop function canonical_json, audit_append, audit_refuse;
        create table audit (
          number bigint generated always as identity primary key,
          at timestamptz not null, actor jsonb not null, action text not null, target text not null, outcome text not null
        );
        insert into audit (at, actor, action, target, outcome)
          select now(), '{"name": "admin", "kind": "admin"}', 'token.create', 'é "' || n, 'succeeded' from generate_series(1, 5) n;
        delete from audit where number in (1, 3);`);
      await fresh.database.query(await readFile(file, 'utf8'));
      const old = new PostgresAuditTrail(fresh.database);
      await old.audit(record());
      const { entries: all } = await old.read({}, { limit: 10 });
      expect(all.map(({ target }) => target)).toEqual(['é "2', 'é "4', 'é "5', 'web/production']);
      const expected = { after: CHAIN_BEGINNING, until: await old.head() };
      expect(await verifyChain(all, sha256, expected)).toMatchObject({ valid: true, entries: 4 });
    } finally {
      await fresh.stop();
    }
  });
});

describe('the past', () => {
  it.each([
    [`update audit set outcome = 'succeeded'`],
    [`delete from audit`],
    [`truncate audit`],
    [`update audit_head set number = 0`],
    [`delete from audit_head`],
    [`truncate audit_head`],
    [`insert into audit_head (single, number, hash) values (false, 0, '')`],
  ])('refuses %s', async (statement) => {
    await write(2);
    await expect(database.query(statement)).rejects.toThrow('append-only');
    expect(await verdict()).toMatchObject({ valid: true, entries: 2 });
  });

  it('cannot be written with numbers and hashes of one’s own', async () => {
    await write(1);
    await database.query(
      `insert into audit (number, at, actor, action, target, outcome, prev_hash, hash)
       values (77, now(), '{"kind": "admin", "name": "admin"}', 'app.delete', 'web', 'succeeded', 'x', 'y')`,
    );
    expect((await entries()).map(({ number }) => number)).toEqual([1, 2]);
    expect(await verdict()).toMatchObject({ valid: true, entries: 2 });
  });

  it.each<[string, string, Partial<ChainVerdict>]>([
    ['a changed row', `update audit set outcome = 'forbidden' where number = 3`, { broken_at: 3, fault: 'altered' }],
    [
      'a changed row with a hash that fits',
      `update audit a set outcome = 'forbidden',
         hash = audit_hash(jsonb_populate_record(a, '{"outcome": "forbidden"}')) where number = 3`,
      { broken_at: 4, fault: 'unlinked' },
    ],
    ['a removed row', `delete from audit where number = 3`, { broken_at: 3, fault: 'missing' }],
    ['a removed first row', `delete from audit where number = 1`, { broken_at: 1, fault: 'missing' }],
    ['a removed last row', `delete from audit where number = 5`, { broken_at: 5, fault: 'missing' }],
    [
      'two rows in each other’s places',
      `update audit set number = -number where number in (2, 4);
       update audit set number = 6 + number where number < 0`,
      { broken_at: 2, fault: 'unlinked' },
    ],
  ])('that has %s is found, and where', async (_, tampering, found) => {
    await write(5);
    await withoutTriggers(() => database.query(tampering));
    expect(await verdict()).toMatchObject({ valid: false, entries: (found.broken_at ?? 0) - 1, ...found });
  });

  it('that was rewritten as a whole is found by whoever kept a former head', async () => {
    await write(3);
    const anchor = await trail.head();
    await write(2);
    expect(await verdict(anchor)).toMatchObject({ valid: true, entries: 5 });
    await withoutTriggers(async () => {
      await database.query('truncate audit');
      await database.query('update audit_head set number = 0, hash = $1', [CHAIN_BEGINNING.hash]);
    });
    await write(2);
    expect(await verdict()).toMatchObject({ valid: true });
    expect(await verdict(anchor)).toMatchObject({ valid: false, broken_at: 3, fault: 'missing' });
    await trail.audit(record({ target: 'other' }));
    expect(await verdict(anchor)).toMatchObject({ valid: false, broken_at: 3, fault: 'rewritten' });
  });
});

describe('a note of what is about to be done', () => {
  const { outcome: _, ...intent } = record({ request_id: 'req-1' });

  it('is no entry, and becomes exactly one', async () => {
    const key = await trail.intend(intent);
    expect(await entries()).toEqual([]);
    await trail.settle(key, { ...intent, target: 'dep-1', outcome: 'succeeded' });
    await trail.settle(key, { ...intent, outcome: 'internal' });
    expect(await entries()).toMatchObject([{ target: 'dep-1', outcome: 'succeeded', request_id: 'req-1' }]);
  });

  it('that nobody settles becomes one with the outcome unknown, once', async () => {
    const key = await trail.intend(intent);
    expect(await trail.settleAbandoned(60_000)).toBe(0);
    const settled = await Promise.all(Array.from({ length: 4 }, () => trail.settleAbandoned(0)));
    expect(settled.reduce((sum, count) => sum + count)).toBe(1);
    await trail.settle(key, { ...intent, outcome: 'succeeded' });
    expect(await entries()).toMatchObject([{ ...intent, outcome: 'unknown' }]);
    expect(await verdict()).toMatchObject({ valid: true, entries: 1 });
  });
});

describe('reading', () => {
  it('goes on from a cursor, and knows its own only', async () => {
    await write(5);
    const first = await trail.read({}, { limit: 2 });
    expect([first.entries.map(({ number }) => number), first.has_more]).toEqual([[1, 2], true]);
    const rest = await trail.read({}, { limit: 3, cursor: first.next_cursor });
    expect([rest.entries.map(({ number }) => number), rest.has_more]).toEqual([[3, 4, 5], false]);
    const end = await trail.read({}, { limit: 3, cursor: rest.next_cursor });
    expect(end).toEqual({ entries: [], has_more: false, next_cursor: rest.next_cursor });
    for (const cursor of ['x', 'elsewhere.1']) {
      await expect(trail.read({}, { limit: 1, cursor })).rejects.toMatchObject({ code: 'cursor_invalid' });
    }
  });

  it('finds by each filter', async () => {
    await trail.audit(record());
    const other = { kind: 'admin', name: 'admin' } as const;
    const at = '2026-02-04T10:00:00.000Z';
    await trail.audit(record({ at, actor: other, action: 'token.revoke', target: 't1', outcome: 'token_not_found' }));
    const numbers = async (filter: Parameters<typeof trail.read>[0]): Promise<number[]> =>
      (await trail.read(filter, { limit: 10 })).entries.map(({ number }) => number);
    expect(await numbers({ actor: 'ci' })).toEqual([1]);
    expect(await numbers({ actor: '0123456789ab' })).toEqual([1]);
    expect(await numbers({ agent: 'OPERATOR' })).toEqual([1]);
    expect(await numbers({ action: 'token.revoke' })).toEqual([2]);
    expect(await numbers({ target: 't1' })).toEqual([2]);
    expect(await numbers({ outcome: 'token_not_found' })).toEqual([2]);
    expect(await numbers({ since: at })).toEqual([2]);
    expect(await numbers({ until: at })).toEqual([1]);
    expect(await numbers({ actor: 'ci', outcome: 'token_not_found' })).toEqual([]);
  });
});

it('keeps no secret that was sent in the place of a name, and no text without a bound', async () => {
  const token = `fd_0123456789ab_${'s'.repeat(43)}_01234567`;
  const colour = '\u001b[31m';
  await trail.audit(
    record({ target: token, rule: `Bearer ${colour}abcdefghij`, actor: { kind: 'token', name: 'a\u0000b' } }),
  );
  await trail.audit(record({ target: 'x'.repeat(5_000) }));
  const [secret, long] = await entries();
  expect(JSON.stringify(secret)).not.toMatch(/sssss|abcdefghij|\\u001b|\\u0000/);
  expect(long?.target).toHaveLength(200);
  expect(await verdict()).toMatchObject({ valid: true });
});
