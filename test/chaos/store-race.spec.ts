/**
 * Six processes do everything that the stores offer at the same time, on few apps, so that they are always in each
 * other's way: nothing may fail but what the contract refuses, and every promise must be kept.
 */
import { afterAll, beforeAll, it } from '@jest/globals';
import fc from 'fast-check';
import { Database } from '../../src/adapters/postgres/database.js';
import type { OnConflict } from '../../src/domain/app-spec.js';
import { DeployError, type ErrorCode } from '../../src/domain/errors.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import { isFinal } from '../../src/domain/phases.js';
import { orderOf } from '../support/deployment-order.js';
import { assertPromisesKept } from '../support/store-promises.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROCESSES = 6;
/** What each process does at once, and how often. */
const HANDS = 3;
const DEEDS = 120;
/** So short that some workers lose it while they work. */
const LEASE_MS = 50;

let test: TestDatabase;
let processes: StoreProcess[];

beforeAll(async () => {
  test = await startTestDatabase();
  processes = Array.from({ length: PROCESSES }, (_, index) => {
    return new StoreProcess(new Database(test.database.url), { instance: `test/${index}`, lease_ms: LEASE_MS });
  });
});
afterAll(() => Promise.all(processes.map(({ database }) => database.close())));
afterAll(() => test.stop());

/** What may be done; `luck` is from 0 to 999. */
const deeds: readonly ((stores: StoreProcess, luck: number) => Promise<unknown>)[] = [
  submit,
  reconcile,
  cancelSomething,
  (stores) => stores.deployments.prune(),
  (stores) => stores.claims.expire(3_600_000),
  (stores) => stores.deployments.list({ apps: ['app-*'] }, { limit: 10, offset: 0 }),
  ...Array.from({ length: 6 }, () => work),
];

it('keeps every promise while six processes are in each other’s way', async () => {
  const script = fc.array(fc.nat(999_999), { minLength: DEEDS, maxLength: DEEDS, size: 'max' });
  const everybody = processes.flatMap((stores) => Array.from({ length: HANDS }, () => stores));
  const scripts = fc.sample(script, everybody.length);
  await Promise.all(
    everybody.map(async (stores, hand) => {
      for (const number of scripts[hand] ?? []) {
        await deeds[number % deeds.length]?.(stores, Math.floor(number / 1_000));
      }
    }),
  );
  await assertPromisesKept(test.database);
});

async function submit({ deployments }: StoreProcess, luck: number): Promise<void> {
  const on_conflict = (['queue', 'supersede', 'reject'] as const satisfies OnConflict[])[luck % 3]!;
  const app_name = `app-${luck % 4}`;
  const idempotency = { key: `key-${luck % 200}`, fingerprint: `${app_name} ${on_conflict}` };
  await unless(deployments.accept(orderOf({ app_name, on_conflict, idempotency })), [
    'idempotency_key_reused',
    'deployment_in_progress',
  ]);
}

/** As every process does all the time. */
async function reconcile(stores: StoreProcess): Promise<void> {
  for (const { id } of await stores.claims.superseded()) await stores.cancel(id);
  await stores.claims.startWaiting();
}

async function cancelSomething(stores: StoreProcess, luck: number): Promise<void> {
  const { deployments } = await stores.deployments.list({ apps: [`app-${luck % 4}`] }, { limit: 1, offset: luck % 5 });
  const state = deployments[0]?.state;
  if (state !== undefined && !isFinal(state.status)) await stores.cancel(state.identity.id);
}

async function work(stores: StoreProcess, luck: number): Promise<void> {
  const [due] = await stores.claims.due(1);
  const claim = due && (await stores.claims.claim(due.deployment_id, due.phase));
  if (claim === undefined) return;
  const lines = Array.from({ length: 1 + (luck % 20) }, (_, index) => {
    return { draft: createDeploymentLog({ at: new Date().toISOString(), message: `line ${index}` }) };
  });
  await stores.log.append({ deployment_id: claim.record.id, fence: claim.fence, items: lines });
  if (claim.phase === 'deploy' && luck % 3 > 0) {
    // Whoever has lost the phase meanwhile cannot move the requests.
    const shifted = await stores.shift(claim).catch(() => undefined);
    if (shifted && luck % 3 === 1) {
      await stores.fail(claim, 'unhealthy');
      return;
    }
  }
  if (luck % 10 === 0) return; // The worker dies.
  await stores.claims.heartbeat(claim);
  await (luck % 7 === 0 ? stores.fail(claim, 'registry_unreachable') : stores.succeed(claim, { image: 'image' }));
}

async function unless(deed: Promise<unknown>, refusals: readonly ErrorCode[]): Promise<void> {
  await deed.catch((error: unknown) => {
    if (!(error instanceof DeployError && refusals.includes(error.code))) throw error;
  });
}
