import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { emptyStores } from '../../../test/support/empty-stores.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { NotificationClaim, PlannedNotification } from '../../domain/ports.js';
import { PostgresNotificationStore } from './postgres-notification-store.js';

jest.setTimeout(60_000);

const LEASE_MS = 60_000;
const SLACK = { id: 'ntf-1', target: 'team', type: 'slack', event: 'deployment.succeeded' } as const;
const HOOK = { id: 'ntf-2', target: 'hook', type: 'webhook', event: 'deployment.succeeded' } as const;

let postgres: TestDatabase;
let process: StoreProcess;
let store: PostgresNotificationStore;
beforeAll(async () => {
  postgres = await startTestDatabase();
  process = new StoreProcess(postgres.database);
  store = new PostgresNotificationStore(postgres.database, 30);
});
afterAll(() => postgres.stop());
beforeEach(() => emptyStores(postgres.database));

async function ended(): Promise<string> {
  const { id } = await process.accept();
  await process.finish(id);
  return id;
}

async function planned(...notifications: PlannedNotification[]): Promise<string> {
  const id = await ended();
  expect(await store.plan(id, notifications)).toBe(true);
  return id;
}

async function claimed(): Promise<NotificationClaim> {
  const claim = await store.claim(LEASE_MS, []);
  if (claim === undefined) throw new Error('nothing is due');
  return claim;
}

const expireLeases = () =>
  postgres.database.query(`update notifications set lease_until = clock_timestamp() - interval '1 second'`);
const makeDue = () => postgres.database.query('update notifications set next_attempt_at = clock_timestamp()');

describe('an ending', () => {
  it('is there once the deployment has ended, and not before', async () => {
    const { id } = await process.accept();
    await process.reach(id, 'post_deploy');
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([]);
    await process.finishHeld(id);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([id]);
  });

  it.each([
    ['failure', async () => (await process.goWrong({}, false)).id],
    [
      'cancellation',
      async () => {
        const { id } = await process.accept();
        await process.cancel(id);
        return id;
      },
    ],
  ])('is made by a %s too', async (_, end) => {
    const id = await end();
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([id]);
  });

  it('is made once for a deployment that is rolled back, and once for the rollback', async () => {
    await process.goLive();
    const { id, state } = await process.goWrong();
    const rollback = state.rollback?.by ?? '';
    await process.finish(rollback);
    expect((await process.record(id)).state.status).toBe('rolled_back');
    expect((await store.claimEndings(10, LEASE_MS)).slice(1)).toEqual([id, rollback]);
  });

  it('is had by one of many, oldest first', async () => {
    const ids = [await ended(), await ended(), await ended()];
    const claims = await Promise.all(Array.from({ length: 6 }, () => store.claimEndings(1, LEASE_MS)));
    expect(claims.flat().sort()).toEqual(ids);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([]);
  });

  it('comes back when nobody has planned it', async () => {
    const ids = [await ended(), await ended()];
    expect(await store.claimEndings(10, 0)).toEqual(ids);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual(ids);
  });

  it('is planned once, whoever does it at the same moment', async () => {
    const id = await ended();
    const plans = await Promise.all(
      Array.from({ length: 6 }, (_, index) => store.plan(id, [{ ...SLACK, id: `ntf-${index}` }])),
    );
    expect(plans.filter(Boolean)).toHaveLength(1);
    expect(await store.ofDeployment(id)).toHaveLength(1);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([]);
  });

  it('stays when its plan cannot be kept', async () => {
    const id = await ended();
    await expect(store.plan(id, [SLACK, SLACK])).rejects.toThrow('duplicate key');
    expect(await store.ofDeployment(id)).toEqual([]);
    expect(await store.plan(id, [SLACK])).toBe(true);
  });
});

describe('a plan', () => {
  it('makes what is told due, and keeps what cannot be', async () => {
    const { type: _, ...rest } = HOOK;
    const id = await planned(SLACK, { ...rest, target: '*', problem: 'The options are not valid.' });
    expect(await store.ofDeployment(id)).toEqual([
      {
        ...rest,
        target: '*',
        deployment_id: id,
        status: 'dead',
        attempts: 0,
        last_error: 'The options are not valid.',
        created_at: expect.any(String),
      },
      {
        ...SLACK,
        deployment_id: id,
        status: 'pending',
        attempts: 0,
        next_attempt_at: expect.any(String),
        created_at: expect.any(String),
      },
    ]);
  });

  it('may be to tell nobody', async () => {
    const id = await planned();
    expect(await store.ofDeployment(id)).toEqual([]);
    expect(await store.claim(LEASE_MS, [])).toBeUndefined();
  });
});

describe('a claim', () => {
  it('is had by one of many', async () => {
    await planned(SLACK);
    const claims = await Promise.all(Array.from({ length: 10 }, () => store.claim(LEASE_MS, [])));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  it('leaves out targets that are busy', async () => {
    await planned(SLACK, HOOK);
    expect((await store.claim(LEASE_MS, ['team']))?.record.id).toBe('ntf-2');
    expect(await store.claim(LEASE_MS, ['team'])).toBeUndefined();
    expect((await claimed()).record.id).toBe('ntf-1');
  });

  it('that ran out is taken over, and its old holder writes nothing', async () => {
    const id = await planned(SLACK);
    const late = await claimed();
    await expireLeases();
    const next = await claimed();
    expect(await store.delivered(late)).toBe(false);
    expect(await store.failed(late, 'late', 0)).toBe(false);
    expect(await store.dead(late, 'late')).toBe(false);
    expect(await store.release(late)).toBe(false);
    expect(await store.delivered(next)).toBe(true);
    expect(await store.delivered(next)).toBe(false);
    expect(await store.ofDeployment(id)).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it('that is given back is free at once', async () => {
    await planned(SLACK);
    expect(await store.release(await claimed())).toBe(true);
    expect((await claimed()).record.attempts).toBe(0);
  });
});

describe('an attempt', () => {
  it('that failed waits with its words, which a delivery makes forgotten', async () => {
    const id = await planned(SLACK);
    await store.failed(await claimed(), 'no answer', 60_000);
    expect(await store.ofDeployment(id)).toMatchObject([{ status: 'pending', attempts: 1, last_error: 'no answer' }]);
    expect(await store.claim(LEASE_MS, [])).toBeUndefined();
    await makeDue();
    await store.delivered(await claimed());
    const [record] = await store.ofDeployment(id);
    expect(record).toMatchObject({ id: 'ntf-1', status: 'delivered', attempts: 2, delivered_at: expect.any(String) });
    expect(record).not.toHaveProperty('last_error');
    expect(record).not.toHaveProperty('next_attempt_at');
  });

  it('that was the last is made again only by hand', async () => {
    const id = await planned(SLACK);
    expect(await store.revive(id, 'ntf-1')).toBeUndefined();
    await store.dead(await claimed(), 'gone');
    expect(await store.claim(LEASE_MS, [])).toBeUndefined();
    expect(await store.revive('dep-of-another', 'ntf-1')).toBeUndefined();
    expect(await store.revive(id, 'ntf-1')).toMatchObject({ status: 'pending', attempts: 0, last_error: 'gone' });
    await store.delivered(await claimed());
    expect(await store.revive(id, 'ntf-1')).toBeUndefined();
  });
});

describe('a plan that could not be made', () => {
  it('is made anew by hand', async () => {
    const id = await planned({ id: 'ntf-0', target: '*', event: SLACK.event, problem: 'The options are not valid.' });
    expect(await store.revive(id, 'ntf-0')).toMatchObject({ id: 'ntf-0', status: 'pending' });
    expect(await store.ofDeployment(id)).toEqual([]);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([id]);
    expect(await store.plan(id, [SLACK])).toBe(true);
    expect(await store.ofDeployment(id)).toMatchObject([{ target: 'team' }]);
  });
});

describe('what has outlived its time', () => {
  it('is deleted, and nothing younger', async () => {
    const old = await planned(SLACK);
    const young = await planned(HOOK);
    const endings = [await ended(), await ended()];
    const age = `clock_timestamp() - interval '31 days'`;
    await postgres.database.query(`update notifications set created_at = ${age} where deployment_id = $1`, [old]);
    await postgres.database.query(`update deployment_endings set ended_at = ${age} where deployment_id = $1`, [
      endings[0],
    ]);
    await store.prune();
    expect(await store.ofDeployment(old)).toEqual([]);
    expect(await store.ofDeployment(young)).toHaveLength(1);
    expect(await store.claimEndings(10, LEASE_MS)).toEqual([endings[1]]);
  });

  it('goes with its deployment', async () => {
    await planned(SLACK);
    await ended();
    await postgres.database.query('delete from deployments');
    const left = await postgres.database.query(
      'select id from notifications union select deployment_id from deployment_endings',
    );
    expect(left).toEqual([]);
  });
});
