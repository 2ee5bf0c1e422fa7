/** One API and several workers on the same stores: workers are killed, frozen and stopped, and deployments end once. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { PrivateServer } from '../../src/adapters/process/supervised-child.js';
import { FlukeDeployEventType, type UnifiedLogEntry } from '../../src/domain/log-entry.js';
import { Client } from '../support/client.js';
import { ADMIN_PASSWORD, startProcess, stopProcess, type RunningServer } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';
import { startPrivateStores } from '../support/private-stores.js';

const prefix = `fdworkers-${randomBytes(4).toString('hex')}`;
/** No two are alike, so that the builder's cache knows none of them. */
const slow = () =>
  `FROM busybox:1\nRUN sleep 4 && echo ${randomBytes(4).toString('hex')}\nCMD ["httpd", "-f", "-p", "80"]\n`;
const swarm = new SwarmState(prefix);

let root: string;
let stores: PrivateServer[];
let environment: Record<string, string>;
let api: RunningServer;
let client: Client;
let workers: Map<string, RunningServer>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-workers-'));
  stores = await startPrivateStores(root);
  const [postgres, redis] = stores;
  environment = {
    DATABASE_URL: postgres?.url ?? '',
    REDIS_URL: `unix://${redis?.url ?? ''}`,
    FLUKEDEPLOY_SECRET_KEY: randomBytes(32).toString('base64'),
    FLUKEDEPLOY_ADMIN_PASSWORD: ADMIN_PASSWORD,
    FLUKEDEPLOY_LEASE_SECONDS: '2',
    DATA_DIR: join(root, 'data'),
  };
  api = await startProcess({ ...environment, FLUKEDEPLOY_ROLE: 'api' });
  client = await Client.logIn(() => api.url);
  workers = new Map();
  await addWorker('one');
  await addWorker('two');
});
afterEach(async () => {
  for (const name of ['one', 'two']) if (!workers.has(name)) await addWorker(name);
});
afterAll(async () => {
  await swarm.clean();
  for (const server of [...workers.values(), api]) await stopProcess(server);
  for (const store of stores) await store.stop();
  await rm(root, { recursive: true });
});

async function addWorker(name: string): Promise<void> {
  workers.set(name, await startProcess({ ...environment, FLUKEDEPLOY_ROLE: 'worker', FLUKEDEPLOY_INSTANCE: name }));
}

function take(name: string): RunningServer {
  const worker = workers.get(name);
  if (worker === undefined) throw new Error(`no worker ${name}`);
  workers.delete(name);
  return worker;
}

/** Name of the worker that began the build, once it has. */
async function builder(id: string): Promise<string> {
  await client.until(id, ({ phases }) => phases.build.status === 'running');
  const started = (await client.entries(id)).find(
    ({ flukedeploy_metadata }) => flukedeploy_metadata.event_type === FlukeDeployEventType.BUILD_START,
  );
  return started?.source.instance ?? '';
}

function buildsDone(entries: readonly UnifiedLogEntry[]): UnifiedLogEntry[] {
  return entries.filter(
    ({ flukedeploy_metadata }) => flukedeploy_metadata.event_type === FlukeDeployEventType.BUILD_COMPLETE,
  );
}

describe('two workers', () => {
  it('one is killed -9 in the build: the other takes over', async () => {
    const { deployment_id } = await client.deploy({ app_name: `${prefix}-killed`, source: { dockerfile: slow() } });
    const name = await builder(deployment_id);
    await stopProcess(take(name), 'SIGKILL');
    expect(await client.ended(deployment_id)).toMatchObject({ status: 'success' });
    const done = buildsDone(await client.entries(deployment_id));
    expect(done).toHaveLength(1);
    expect(done[0]?.source.instance).not.toBe(name);
  });

  it('one is asked to stop in the build: it hands over at once, and no attempt is lost', async () => {
    const { deployment_id } = await client.deploy({ app_name: `${prefix}-stopped`, source: { dockerfile: slow() } });
    const name = await builder(deployment_id);
    const worker = take(name);
    await stopProcess(worker, 'SIGTERM');
    expect(worker.process.exitCode).toBe(0);
    const view = await client.ended(deployment_id);
    expect(view).toMatchObject({ status: 'success' });
    expect(view.phases.build.attempt).toBe(1);
    expect(await client.messages(deployment_id)).toContain('warn build Build handed over: this worker shuts down');
  });

  it('one is frozen longer than its lease: what it does when it wakes up counts no more', async () => {
    const { deployment_id } = await client.deploy({ app_name: `${prefix}-frozen`, source: { dockerfile: slow() } });
    const name = await builder(deployment_id);
    const worker = workers.get(name)?.process;
    worker?.kill('SIGSTOP');
    const view = await client.ended(deployment_id);
    const before = await client.entries(deployment_id);
    worker?.kill('SIGCONT');
    expect(view).toMatchObject({ status: 'success' });
    // It works again, and so has had every chance to write.
    await client.run({ app_name: `${prefix}-after`, image: 'busybox:1', command: ['sleep', '600'], port: 0 });
    expect(await client.entries(deployment_id)).toEqual(before);
    expect(buildsDone(before)).toHaveLength(1);
    expect(await swarm.service(`${prefix}-frozen`)).toMatchObject({ deployment: deployment_id, running: 1 });
  });

  it('both are killed -9: the queue drains when one is back, in order', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      ids.push((await client.deploy({ app_name: `${prefix}-order`, source: { dockerfile: slow() } })).deployment_id);
    }
    await builder(ids[0] ?? '');
    for (const name of ['one', 'two']) await stopProcess(take(name), 'SIGKILL');
    await addWorker('one');
    const views = await Promise.all(ids.map((id) => client.ended(id)));
    expect(views.map(({ status }) => status)).toEqual(['success', 'success', 'success']);
    const times = views.map(({ started_at, finished_at }) => [started_at ?? '', finished_at ?? '']).flat();
    expect(times).toEqual([...times].sort());
    expect(await swarm.service(`${prefix}-order`)).toMatchObject({ deployment: ids[2] });
  });
});
