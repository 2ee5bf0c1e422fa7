/**
 * The stores under any sequence of orders, claims, commits, deaths and cancels: fast-check makes the sequences, and
 * shrinks the one that breaks a promise to its few steps. Stale workers write on purpose, again and again.
 */
import { afterAll, beforeAll, it } from '@jest/globals';
import fc from 'fast-check';
import { ok } from 'node:assert/strict';
import { commands, type Model } from '../support/claims-model.js';
import { emptyStores } from '../support/empty-stores.js';
import { assertPromisesKept } from '../support/store-promises.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const RUNS = 80;
const COMMANDS = 50;
const TIME_LIMIT_MS = 30_000;
/** Leases end by command only. */
const LEASE_MS = 3_600_000;

let test: TestDatabase;
let stores: StoreProcess;

beforeAll(async () => {
  test = await startTestDatabase();
  stores = new StoreProcess(test.database, { lease_ms: LEASE_MS });
});
afterAll(() => test.stop());

it('keeps every promise, whatever happens in whatever order, and everything ends', async () => {
  const anything = fc.asyncProperty(commands(COMMANDS), async (sequence) => {
    await emptyStores(test.database);
    const { id } = await stores.start({ app_name: 'one' });
    const model: Model = { ids: [id], claims: [], holders: new Map() };
    await fc.asyncModelRun(() => ({ model, real: stores }), checked(sequence));
    await driveOn();
    await assertPromisesKept(test.database);
  });
  await fc.assert(anything, { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS });
});

type Sequence = Iterable<fc.AsyncCommand<Model, StoreProcess>>;

/** The same commands, each followed by the look at all promises. */
function* checked(sequence: Sequence): Sequence {
  for (const command of sequence) {
    yield {
      check: (model) => command.check(model),
      run: async (model, real) => {
        await command.run(model, real);
        await assertPromisesKept(real.database);
      },
      toString: () => command.toString(),
    };
  }
}

/** Peace: the workers are dead, new ones take over and succeed with everything. */
async function driveOn(): Promise<void> {
  for (let round = 0; round < 200; round++) {
    await test.database.query(`update deployments set due_at = clock_timestamp() where due_at > clock_timestamp()`);
    await test.database.query('update deployments set lease_until = clock_timestamp() where lease_until is not null');
    await stores.claims.startWaiting();
    const due = await stores.claims.due(100);
    for (const { deployment_id, phase } of due) {
      const claim = await stores.claims.claim(deployment_id, phase);
      if (claim !== undefined) await stores.succeed(claim);
    }
    if (due.length === 0) break;
  }
  const unfinished = await test.database.query('select id, status from deployments where finished_at is null');
  ok(unfinished.length === 0, `these never end: ${JSON.stringify(unfinished)}`);
}
