/** The LogStore contract, against PostgreSQL and against the memory that stands in for it in tests of readers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import { DeploymentScript } from '../support/deployment-script.js';
import { assertSummariesAreFolds } from '../support/fold-check.js';
import { MemoryLogStore } from '../support/memory-log-store.js';
import { MemoryWakeups } from '../support/memory-wakeups.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';
import { logStoreContract, type LogStoreSubject } from './log-store.contract.js';

const CUT_WHOEVER_WAITS = `select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`;

describe('MemoryLogStore', () => {
  logStoreContract(async () => {
    const store = new MemoryLogStore();
    let made = 0;
    return {
      store,
      request: async (appName) => {
        const number = ++made;
        const script = new DeploymentScript(store, new MemoryWakeups(), `dep-${number}`, appName ?? `app-${number}`);
        await script.request();
        return script.id;
      },
      find: (id) => store.find(id),
      takeOver: async (id) => store.claim(id),
      forget: async (kept) => store.prune(kept),
      beginAnew: async () => store.beginAnew('m2'),
    };
  });
});

describe('PostgresLogStore', () => {
  let test: TestDatabase;
  let process: StoreProcess;

  beforeAll(async () => {
    test = await startTestDatabase();
    process = new StoreProcess(test.database);
  });
  afterAll(() => assertSummariesAreFolds(test.database));
  afterAll(() => test.stop());

  logStoreContract(async () => postgresSubject(process));

  it('writes nothing of an append that fails, and leaves no gap', async () => {
    const { id } = await process.accept();
    const { head } = await process.log.bounds();
    const at = new Date().toISOString();
    const good = { draft: createDeploymentLog({ at, message: 'good' }) };
    const bad = { draft: createDeploymentLog({ at, message: 'a zero byte: \0' }) };
    await expect(process.log.append({ deployment_id: id, items: [good, bad] })).rejects.toThrow();
    expect((await process.log.bounds()).head).toBe(head);

    const appended = await process.log.append({ deployment_id: id, items: [good] });
    expect(appended?.rows.map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('stores a batch once, also when its answer was lost and it comes again', async () => {
    const { id } = await process.start({ app_name: 'batches' });
    const claim = await process.held(id);
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'a line' });
    const append = (batch: number) =>
      process.log.append({ deployment_id: id, fence: claim.fence, batch, items: [{ draft }] });
    expect((await append(1))?.rows).toHaveLength(1);
    expect((await append(1))?.rows).toHaveLength(0);
    expect((await append(2))?.rows).toHaveLength(1);
  });

  it('is unavailable, and lives on, when its connection breaks in the middle of an append', async () => {
    const { id } = await process.accept();
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'a line' });
    const other = new StoreProcess(new Database(test.database.url));
    const append = () => other.log.append({ deployment_id: id, items: [{ draft }] });

    const error = await test.database.transaction(async (client) => {
      // The append waits for this row until its connection is cut.
      await client.query('select from deployments where id = $1 for update', [id]);
      const outcome = append().catch((failure: unknown) => failure);
      await until(
        async () => (await test.database.query(CUT_WHOEVER_WAITS)).length === 1,
        'the append waits for the row',
      );
      return outcome;
    });
    expect(error).toMatchObject({ code: 'unavailable' });
    expect((await append())?.rows.map(({ sequence }) => sequence)).toEqual([2]);
    await other.database.close();
  });
});

function postgresSubject(process: StoreProcess): LogStoreSubject {
  const { database, log, deployments } = process;
  let made = 0;
  return {
    store: log,
    request: async (app_name = `app-${++made}`) => (await process.accept({ app_name })).id,
    find: (id) => deployments.find(id),
    takeOver: async (id) => {
      const [row] = await database.query<{ fence: number }>(
        `update deployments set fence = fence + 1, lease_owner = 'test/1' where id = $1 returning fence`,
        [id],
      );
      return row!.fence;
    },
    forget: async (kept) => {
      await database.query('update stream set floor = greatest(floor, head - $1)', [kept]);
      await database.query('delete from entries where position <= (select floor from stream)');
    },
    beginAnew: async () => {
      await database.query('truncate deployments cascade');
      await database.query(`update stream set epoch = 'anew', head = 0, floor = 0, last_at = '-infinity'`);
    },
  };
}
