/** Which jobs go by themselves, on the real stores and the real Swarm. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startJobFixtures, type JobFixtures } from '../../../test/support/job-fixtures.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import type { DeploymentRecord } from '../../domain/ports.js';
import { JobCleanup } from './job-cleanup.js';

jest.setTimeout(90_000);

const LONG_AGO = '2026-02-03T10:00:00.000Z';
const actor = { kind: 'admin', name: 'admin' } as const;

let fixtures: JobFixtures;
let test: TestDatabase;
let stores: StoreProcess;
let cleanup: JobCleanup;

beforeAll(async () => {
  [fixtures, test] = await Promise.all([startJobFixtures(), startTestDatabase()]);
  stores = new StoreProcess(test.database);
  cleanup = new JobCleanup(stores.deployments, fixtures.jobs);
});
afterAll(() => Promise.all([fixtures.swarm.clean(), test.stop()]));

async function withJob(deployment_id: string): Promise<string> {
  await fixtures.call(fixtures.job(`of-${deployment_id}`, 'true', { deployment_id })).result;
  return deployment_id;
}

async function cancelled({ id }: DeploymentRecord, at: string): Promise<string> {
  const fact = { type: 'cancel_requested', at, actor, reason: 'a test' } as const;
  await stores.log.append({ deployment_id: id, items: [{ fact }] });
  return id;
}

describe('the jobs', () => {
  it('of deployments that ended a while ago go, and those of unknown ones', async () => {
    const running = await withJob((await stores.start({ app_name: 'running' })).id);
    const justEnded = await withJob(await cancelled(await stores.accept(), new Date().toISOString()));
    await withJob(await cancelled(await stores.accept(), LONG_AGO));
    await withJob('dep-unknown');
    await cleanup.round();
    expect((await fixtures.jobs.owners()).sort()).toEqual([running, justEnded].sort());
  });

  it('of an app that is removed go at once, but for those of a deployment that runs', async () => {
    const now = new Date().toISOString();
    const [app_name, environment] = ['removed', 'production'];
    const ended = await withJob(await cancelled(await stores.accept({ app_name }), now));
    const staging = await withJob(await cancelled(await stores.accept({ app_name, environment: 'staging' }), now));
    const running = await withJob((await stores.start({ app_name })).id);
    await cleanup.removeOf({ app_name, environment });
    const owners = await fixtures.jobs.owners();
    expect(owners).not.toContain(ended);
    expect(owners).toEqual(expect.arrayContaining([staging, running]));
  });
});
