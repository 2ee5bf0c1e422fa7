/** The lanes to FlukeBase on a real PostgreSQL: found in the log, held by one process at a time, and never in the way of an append. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { PostgresFlukeBaseStore } from '../../src/adapters/postgres/postgres-flukebase-store.js';
import { FRESH_LANE } from '../../src/domain/flukebase-lane.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import type { Claim, LaneClaim } from '../../src/domain/ports.js';
import { emptyStores } from '../support/empty-stores.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const LEASE_MS = 60_000;
const PAGE = 1_000;

let test: TestDatabase;
let process: StoreProcess;
let store: PostgresFlukeBaseStore;
let other: PostgresFlukeBaseStore;
beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
  store = new PostgresFlukeBaseStore(test.database, 30);
  other = new PostgresFlukeBaseStore(new Database(test.database.url), 30);
});
beforeEach(async () => {
  await emptyStores(test.database);
  await test.database.query('truncate flukebase_feed, flukebase_lanes, flukebase_dead_letters');
});
afterAll(async () => {
  await (other as unknown as { database: Database }).database.close();
  await test.stop();
});

const held = async (from = store, withBackfill = true): Promise<LaneClaim> => {
  const claim = await from.claim(LEASE_MS, withBackfill);
  if (claim === undefined) throw new Error('no lane is due');
  return claim;
};
/** All lanes that are due, by their channel. */
const lanes = async (): Promise<Map<string, LaneClaim>> => {
  const found = new Map<string, LaneClaim>();
  for (let claim = await store.claim(LEASE_MS, true); claim; claim = await store.claim(LEASE_MS, true))
    found.set(claim.id, claim);
  return found;
};
const print = async ({ record, fence }: Claim, lines: number): Promise<void> => {
  const items = Array.from({ length: lines }, (_, index) => ({
    draft: createDeploymentLog({ at: new Date().toISOString(), message: `line ${index}` }),
  }));
  await process.log.append({ deployment_id: record.id, fence, items });
};
const rows = async (): Promise<number> => {
  const [counted] = await test.database.query<{ count: number }>(
    'select ((select count(*) from flukebase_feed) + (select count(*) from flukebase_lanes))::int as count',
  );
  return counted?.count ?? -1;
};

describe('what is found in the log', () => {
  it('is nothing before FlukeBase is switched on', async () => {
    const { id } = await process.start();
    await process.finish(id);
    expect(await rows()).toBe(0);
    expect(await store.upstream()).toBeUndefined();
    await store.begin();
    expect(await store.discover(PAGE)).toBe(false);
    expect(await store.claim(LEASE_MS, true)).toBeUndefined();
  });

  it('begins where it was begun first, however often that is', async () => {
    await store.begin();
    await process.start();
    await other.begin();
    await store.discover(PAGE);
    expect([...(await lanes()).values()].map(({ channel }) => channel).sort()).toEqual(['log', 'task']);
  });

  it('is each deployment with something new, from its first entry on', async () => {
    const before = await process.start();
    await store.begin();
    const claim = await process.held(before.id);
    await print(claim, 3);
    await store.discover(PAGE);
    const { head, state } = (await lanes()).get(`${before.id}/log`)!;
    expect(state).toEqual(FRESH_LANE);
    expect((await store.entries(before.id, state.done, head, PAGE)).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: head }, (_, index) => index + 1),
    );
  });

  it('wakes no task for mere output', async () => {
    await store.begin();
    const { id } = await process.start();
    const claim = await process.held(id);
    await store.discover(PAGE);
    for (const lane of (await lanes()).values()) {
      await store.save(lane, { ...lane.state, done: lane.head }, { kind: 'rest' });
    }
    await print(claim, 3);
    await store.discover(PAGE);
    expect([...(await lanes()).keys()]).toEqual([`${id}/log`]);
  });

  it('is found in pages, each entry once', async () => {
    await store.begin();
    const ids = await Promise.all([1, 2, 3].map(async (n) => (await process.start({ app_name: `app-${n}` })).id));
    let pages = 1;
    while (await store.discover(2)) pages++;
    expect(pages).toBeGreaterThan(2);
    expect([...(await lanes()).keys()].sort()).toEqual(ids.flatMap((id) => [`${id}/log`, `${id}/task`]).sort());
    expect(await store.discover(2)).toBe(false);
  });

  it('is looked for by one process at a time, and the others do not wait', async () => {
    await store.begin();
    await process.start();
    await test.database.transaction(async (client) => {
      await client.query('select position from flukebase_feed for update');
      expect(await other.discover(PAGE)).toBe(false);
    });
    expect(await store.claim(LEASE_MS, true)).toBeUndefined();
  });

  it('is found whoever appends meanwhile, and no append waits for it', async () => {
    await store.begin();
    const { id } = await process.start();
    const claim = await process.held(id);
    await test.database.transaction(async (client) => {
      await client.query('select position from flukebase_feed for update');
      await client.query('insert into flukebase_lanes (id, deployment_id, channel, head) values ($1, $1, $2, 1)', [
        id,
        'log',
      ]);
      await print(claim, 1);
    });
  });
});

describe('a lane', () => {
  let id: string;
  let working: Claim;
  beforeEach(async () => {
    await store.begin();
    ({ id } = await process.start());
    working = await process.held(id);
    await store.discover(PAGE);
    const task = [await held(), await held()].find(({ channel }) => channel === 'task')!;
    await store.save(task, { ...task.state, done: task.head }, { kind: 'rest' });
    await test.database.query('update flukebase_lanes set lease_until = null, fence = 0');
  });

  it('is held by one process', async () => {
    await held();
    expect(await other.claim(LEASE_MS, true)).toBeUndefined();
  });

  it('is taken over when its lease has run out, and whoever had it writes nothing more', async () => {
    const dead = await store.claim(0, true);
    const living = await held(other);
    expect(living.fence).toBe(dead!.fence + 1);
    const letter = { kind: 'log', first_sequence: 1, last_sequence: 1, error: 'late' } as const;
    expect(await store.save(dead!, { ...dead!.state, done: 1 }, { kind: 'rest' }, [letter])).toBe(false);
    expect(await store.deadLetters(PAGE)).toEqual([]);
    expect(await other.save(living, { ...living.state, done: 1 }, { kind: 'keep', lease_ms: LEASE_MS })).toBe(true);
  });

  it('keeps how far it is', async () => {
    const claim = await held();
    const state = { ...claim.state, done: 2, batch_end: 4, missing: [3, 4], version: 1, digest: 'd', attempts: 3 };
    await store.save(claim, state, { kind: 'wait', ms: 0 });
    expect((await held()).state).toEqual(state);
  });

  it('waits as long as it should, and is hurried when FlukeBase is back', async () => {
    const claim = await held();
    await store.save(claim, { ...claim.state, attempts: 1, last_error: 'No.' }, { kind: 'wait', ms: 300_000 });
    await print(working, 1);
    await store.discover(PAGE);
    expect(await store.claim(LEASE_MS, true)).toBeUndefined();
    await store.hurry();
    expect((await held()).state.attempts).toBe(1);
  });

  it('rests when all is told, and is due again when more was written meanwhile', async () => {
    const claim = await held();
    await print(working, 2);
    await store.discover(PAGE);
    await store.save(claim, { ...claim.state, done: claim.head }, { kind: 'rest' });
    const again = await held();
    expect(again.head).toBe(claim.head + 2);
    await store.save(again, { ...again.state, done: again.head }, { kind: 'rest' });
    expect(await store.claim(LEASE_MS, true)).toBeUndefined();
  });

  it('costs a row, however much waits in it', async () => {
    const before = await rows();
    await print(working, 5_000);
    while (await store.discover(PAGE));
    expect(await rows()).toBe(before);
    expect((await store.standing()).waiting).toBeGreaterThan(5_000);
  });
});

describe('dead letters', () => {
  let id: string;
  let claim: LaneClaim;
  beforeEach(async () => {
    await store.begin();
    ({ id } = await process.start());
    await store.discover(PAGE);
    claim = (await lanes()).get(`${id}/log`)!;
  });
  const die = (first: number, last: number, kind: 'log' | 'deployment' = 'log', error = 'HTTP 422') =>
    store.save(claim, { ...claim.state, done: last }, { kind: 'keep', lease_ms: LEASE_MS }, [
      { kind, first_sequence: first, last_sequence: last, error },
    ]);

  it('are listed, the newest first, in pages; neighbours that died of the same are one', async () => {
    await die(1, 1);
    await die(2, 2);
    await die(3, 3, 'log', 'HTTP 413');
    const letters = await store.deadLetters(PAGE);
    expect(letters.map(({ first_sequence, last_sequence, error }) => [first_sequence, last_sequence, error])).toEqual([
      [3, 3, 'HTTP 413'],
      [1, 2, 'HTTP 422'],
    ]);
    expect(await store.deadLetters(1)).toEqual(letters.slice(0, 1));
    expect(await store.deadLetters(PAGE, letters[0]!.id)).toEqual(letters.slice(1));
    expect(await store.standing()).toMatchObject({ dead: 2 });
  });

  it('of entries are replayed in a lane of their own, which ends with them', async () => {
    await die(1, 2);
    const [letter] = await store.deadLetters(PAGE);
    expect(await store.replay(letter!.id)).toBe(true);
    expect(await store.replay(letter!.id)).toBe(false);
    const replay = await held();
    expect(replay).toMatchObject({ deployment_id: id, channel: 'replay', head: 2, state: { done: 0 } });
    await store.save(replay, { ...replay.state, done: 2 }, { kind: 'rest' });
    expect(await test.database.query("select id from flukebase_lanes where channel = 'replay'")).toEqual([]);
  });

  it('of a summary are replayed as it is by now, by whoever is next', async () => {
    await store.save(claim, { ...claim.state, version: 1, digest: 'told' }, { kind: 'keep', lease_ms: LEASE_MS });
    await die(1, 1, 'deployment');
    const [letter] = await store.deadLetters(PAGE);
    await store.replay(letter!.id);
    expect(await store.save(claim, claim.state, { kind: 'rest' })).toBe(false);
    const { channel, state } = await held();
    expect(channel).toBe('log');
    expect(state).not.toHaveProperty('digest');
  });

  it('are discarded once', async () => {
    await die(1, 1);
    const [letter] = await store.deadLetters(PAGE);
    expect(await store.discard(letter!.id)).toBe(true);
    expect(await store.discard(letter!.id)).toBe(false);
  });

  it('are forgotten with the lanes that have rested for as long', async () => {
    await die(1, 1);
    await store.save(claim, { ...claim.state, done: claim.head }, { kind: 'rest' });
    await test.database.query(`update flukebase_dead_letters set died_at = died_at - interval '31 days'`);
    await test.database.query(`update flukebase_lanes set due_at = null, touched_at = touched_at - interval '31 days'`);
    await store.prune();
    expect(await store.deadLetters(PAGE)).toEqual([]);
    expect(await test.database.query('select id from flukebase_lanes')).toEqual([]);
  });
});

describe('history', () => {
  const ALWAYS = { since: '2000-01-01T00:00:00.000Z', until: '2100-01-01T00:00:00.000Z' };

  it('is queued in pages, once, and the present goes first', async () => {
    const old = [1, 2, 3].map((number) => process.start({ app_name: `old-${number}` }));
    const ids = (await Promise.all(old)).map(({ id }) => id);
    await store.begin();
    const first = await store.backfill(ALWAYS, 2);
    expect(first).toMatchObject({ deployments: 2, queued: 2, next_cursor: expect.any(String) });
    const last = await store.backfill(ALWAYS, 2, first.next_cursor);
    expect(last).toEqual({ deployments: 1, queued: 1 });
    expect(await store.backfill(ALWAYS, 10)).toEqual({ deployments: 3, queued: 0 });

    const now = await process.start({ app_name: 'new' });
    await store.discover(PAGE);
    expect((await held()).deployment_id).toBe(now.id);
    expect((await held()).deployment_id).toBe(now.id);
    expect(await store.claim(LEASE_MS, false)).toBeUndefined();
    expect([...(await lanes()).keys()].sort()).toEqual(ids.map((id) => `${id}/log`).sort());
  });

  it('is that of the window', async () => {
    await process.start();
    expect(await store.backfill({ ...ALWAYS, until: '2000-01-02T00:00:00.000Z' }, 10)).toEqual({
      deployments: 0,
      queued: 0,
    });
  });
});

it('how it stands counts what nobody has looked at as well', async () => {
  await store.begin();
  expect(await store.standing()).toEqual({ waiting: 0, lag_seconds: 0, dead: 0, upstream: { breaker: 'closed' } });
  const { id } = await process.start();
  const { sequence } = (await store.deployment(id))!;
  const unseen = await store.standing();
  expect(unseen.waiting).toBe(sequence);
  await store.discover(PAGE);
  expect((await store.standing()).waiting).toBe(sequence);
  await test.database.query(`update entries set at = at - interval '1 hour'`);
  expect((await store.standing()).lag_seconds).toBeGreaterThan(3_599);
  await store.tell({ breaker: 'open', paused: 'HTTP 401' });
  expect((await other.standing()).upstream).toEqual({ breaker: 'open', paused: 'HTTP 401' });
});
