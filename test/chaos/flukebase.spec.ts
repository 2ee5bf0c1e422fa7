/** FlukeBase fails in every way, workers are killed while it holds their requests: it ends up with everything, once and in order. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../src/adapters/postgres/database.js';
import type { PrivateServer } from '../../src/adapters/process/supervised-child.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import type { Claim } from '../../src/domain/ports.js';
import { FlukeBase } from '../support/flukebase.js';
import { ADMIN_PASSWORD, startProcess, stopProcess, type RunningServer } from '../support/server-process.js';
import { StoreProcess } from '../support/store-process.js';
import { startPrivateStores } from '../support/private-stores.js';
import { until } from '../support/until.js';

const DEPLOYMENTS = 100;
const LINES = 1_000;
const LINES_AT_ONCE = 100;
const WRITERS = 4;
const KILLS = 5;
const FAULTY_SHARE = 0.2;
const SEED = 20_260_203;
/** Longer than the test: no worker takes a phase over. */
const LEASE_MS = 3_600_000;
/** Each worker knows FlukeBase by a name of its own, and so can be told by its requests. */
const NAMES = { one: '127.0.0.1', two: 'localhost' } as const;
type Name = keyof typeof NAMES;

let root: string;
let privateServers: PrivateServer[];
let flukebase: FlukeBase;
let stores: StoreProcess;
const workers = new Map<Name, RunningServer>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-flukebase-'));
  privateServers = await startPrivateStores(root);
  const database = new Database(privateServers[0]!.url);
  await database.migrate();
  stores = new StoreProcess(database, { lease_ms: LEASE_MS });
  flukebase = await FlukeBase.start();
});
afterAll(async () => {
  for (const worker of workers.values()) await stopProcess(worker);
  await stores.database.close();
  for (const server of privateServers) await server.stop();
  await flukebase.stop();
  await rm(root, { recursive: true });
});

const secretKey = randomBytes(32).toString('base64');
async function start(name: Name): Promise<void> {
  const worker = await startProcess({
    ...flukebase.environment,
    FLUKEBASE_API_URL: flukebase.url.replace('127.0.0.1', NAMES[name]),
    DATABASE_URL: privateServers[0]!.url,
    REDIS_URL: `unix://${privateServers[1]!.url}`,
    FLUKEDEPLOY_SECRET_KEY: secretKey,
    FLUKEDEPLOY_ADMIN_PASSWORD: ADMIN_PASSWORD,
    FLUKEDEPLOY_LEASE_SECONDS: '2',
    DATA_DIR: join(root, 'data'),
    FLUKEDEPLOY_ROLE: 'worker',
    FLUKEDEPLOY_INSTANCE: name,
  });
  workers.set(name, worker);
}

/** Its last phase is held here, so that no worker runs it. */
async function begin(number: number): Promise<Claim> {
  const { id } = await stores.accept({ app_name: `app-${number}` });
  return stores.reach(id, 'post_deploy');
}

/** Writes all the lines, and ends it well or badly. */
async function tell(claim: Claim, number: number): Promise<void> {
  const { record, fence } = claim;
  for (let first = 0; first < LINES; first += LINES_AT_ONCE) {
    const items = Array.from({ length: LINES_AT_ONCE }, (_, index) => ({
      draft: createDeploymentLog({
        at: new Date().toISOString(),
        phase: 'post_deploy',
        message: `line ${first + index} of ${record.id}`,
      }),
    }));
    await stores.log.append({ deployment_id: record.id, fence, items });
  }
  if (number % 2 === 0) await stores.succeed(claim);
  else await stores.fail(claim, 'hook_failed');
}

/** FlukeBase does what it is asked and does not say so; whoever waits for its answer is killed -9 and comes again. */
async function killInSending(): Promise<void> {
  const from = flukebase.requests.length;
  flukebase.faults.order({ kind: 'silent' }, { times: 1, route: /deployment_logs/ });
  const left = (flukebase.faults.happened.get('silent') ?? 0) + 1;
  await until(async () => flukebase.faults.happened.get('silent') === left, 'a request is on its way', 60_000);
  const request = await until(
    async () => flukebase.requests.slice(from).findLast(({ answer }) => answer === 'silent'),
    'it has been done',
  );
  const name: Name = request.headers.host?.startsWith(NAMES.two) ? 'two' : 'one';
  await stopProcess(workers.get(name)!, 'SIGKILL');
  await start(name);
}

it('everything is there exactly once, in order, whatever happened on the way', async () => {
  // What was before FlukeDeploy first knew of FlukeBase is not sent by itself.
  await start('one');
  await stopProcess(workers.get('one')!);
  const claims: Claim[] = [];
  for (let number = 0; number < DEPLOYMENTS; number++) claims.push(await begin(number));
  const ids = claims.map(({ record }) => record.id);

  flukebase.faults.byChance(FAULTY_SHARE, SEED);
  await Promise.all([start('one'), start('two')]);
  const queue = [...claims.entries()];
  const written = Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await tell(next[1], next[0]);
    }),
  );
  for (let kill = 0; kill < KILLS; kill++) await killInSending();
  await written;
  flukebase.faults.end();

  const sequences = (id: string): number[] =>
    flukebase.held.deployments.get(id)?.entries.map((entry) => entry.flukedeploy_metadata.sequence) ?? [];
  const wanted = new Map<string, readonly string[]>();
  for (const id of ids) {
    const { rows } = await stores.log.query({ deployment_id: id }, { limit: 10_000, offset: 0 });
    wanted.set(
      id,
      rows.map(({ message }) => message),
    );
  }
  await until(
    async () =>
      ids.every((id) => {
        const last = flukebase.held.deployments.get(id)?.summaries.at(-1)?.status;
        const task = flukebase.held.tasks.get(`DEPLOY-${id}`)?.status;
        const over = ['success', 'failed'].includes(last ?? '') && ['completed', 'failed'].includes(task ?? '');
        return over && sequences(id).length >= wanted.get(id)!.length;
      }),
    'FlukeBase has everything',
    90_000,
  );

  for (const [number, id] of ids.entries()) {
    const { entries, summaries } = flukebase.held.deployments.get(id)!;
    expect(entries.map(({ message }) => message)).toEqual(wanted.get(id));
    expect(sequences(id)).toEqual(entries.map((_, index) => index + 1));
    expect(summaries.at(-1)?.status).toBe(number % 2 === 0 ? 'success' : 'failed');
    expect(flukebase.held.tasks.get(`DEPLOY-${id}`)?.status).toBe(number % 2 === 0 ? 'completed' : 'failed');
  }
  expect(flukebase.held.contradictions).toEqual([]);
  expect(flukebase.held.tasks.size).toBe(DEPLOYMENTS);
  // What FlukeBase did not know yet was never sent, nor anything under a wrong key.
  const refused = flukebase.requests.filter(({ answer }) => [400, 404, 409, 422].includes(Number(answer)));
  expect(refused.map(({ method, path, answer }) => `${method} ${path} ${answer}`)).toEqual([]);
  expect(flukebase.faults.happened.get('silent')).toBe(KILLS);
  for (const kind of ['slow', 'status', 'partial', 'malformed', 'cut_unread', 'cut_applied'] as const) {
    expect(flukebase.faults.happened.get(kind)).toBeGreaterThan(0);
  }
});
