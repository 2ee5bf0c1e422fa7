/** What FlukeBase is told of real deployments: complete and in order, whatever FlukeBase does, and never at their expense. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { FlukeBase } from '../support/flukebase.js';
import { retryAfter, type Fault } from '../support/flukebase-faults.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { SyncedDeployments } from '../support/synced-deployments.js';
import { dockerfileServing, lines, QUICK_CHECK, serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

/** Fails in its build, at once and with a dozen entries: what is told of it is what matters here. */
const QUICK = { source: { dockerfile: lines('FROM busybox:1', 'COPY nothing /') } };
/** Each one's own, or the builder would know the step. */
const building = (seconds: number) => ({
  source: { dockerfile: dockerfileServing('built', `RUN sleep ${seconds}; echo ${randomBytes(6).toString('hex')}`) },
  health_check: QUICK_CHECK,
});

let flukebase: FlukeBase;
let elsewhere: ScriptedServer;
let bench: Workbench;
let synced: SyncedDeployments;
let made = 0;

beforeAll(async () => {
  flukebase = await FlukeBase.start();
  elsewhere = new ScriptedServer();
  await elsewhere.start();
  bench = await Workbench.set({ ...flukebase.environment, FLUKEDEPLOY_CONCURRENCY: '6' });
  synced = new SyncedDeployments(flukebase, bench.client);
});
afterEach(() => {
  flukebase.faults.end();
  flukebase.largest_body = Infinity;
  flukebase.has_batches = true;
});
afterAll(async () => {
  await bench.clear();
  await elsewhere.stop();
  await flukebase.stop();
});

const deploy = async (spec: Record<string, unknown>, app = bench.app(`app-${++made}`)): Promise<string> =>
  (await bench.client.deploy({ app_name: app, ...spec })).deployment_id;

/** Requests that have met a fault. */
const failed = (): number => [...flukebase.faults.happened.values()].reduce((sum, count) => sum + count, 0);

describe('a deployment', () => {
  it('is told with its summary first, then every entry in order, and at last how it ended', async () => {
    const id = await deploy(serving('told'));
    await synced.expectComplete(id);
    const { arrivals } = flukebase.held;
    const [first] = arrivals.filter((arrival) => arrival.includes(id) && !arrival.startsWith('task'));
    const last = arrivals.findLast((arrival) => arrival.includes(id) && !arrival.startsWith('task'));
    expect([first, last]).toEqual([`deployment ${id}`, `deployment ${id}`]);
    expect(synced.summaries(id).at(-1)).toBe('success');
    expect(flukebase.held.deployments.get(id)?.summaries.at(-1)).toMatchObject({
      app_name: expect.stringMatching(/-app-/),
      finished_at: expect.any(String),
      phases: { deploy: { status: 'succeeded' } },
    });
    expect(flukebase.requests.map(({ answer }) => answer).filter((answer) => Number(answer) >= 400)).toEqual([]);
  });

  it('has a task that is in progress until it is done', async () => {
    const id = await deploy(building(3));
    await eventually(() => synced.task(id)?.status === 'in_progress');
    expect(await synced.taskOver(`DEPLOY-${id}`)).toMatchObject({ status: 'completed' });
    expect(synced.task(id)?.changes[0]).toMatchObject({ metadata: { deployment_id: id } });
  });

  it('has a task that fails with it', async () => {
    const id = await deploy(QUICK);
    const task = await synced.taskOver(`DEPLOY-${id}`);
    expect(task.status).toBe('failed');
    const { error } = await bench.client.ended(id);
    expect(JSON.stringify(task.changes.at(-1))).toContain(error?.code);
  });

  it('has a task that is cancelled with it', async () => {
    const id = await deploy(building(60));
    await eventually(() => synced.task(id)?.status === 'in_progress');
    await bench.client.request('POST', `/api/v1/deployments/${id}/cancel`, { reason: 'not today' });
    const task = await synced.taskOver(`DEPLOY-${id}`);
    expect(task.status).toBe('cancelled');
    expect(task.changes.at(-1)?.synthesis_note).toContain('not today');
  });

  it('takes over the task that it names', async () => {
    flukebase.held.addTask('WEDO-7');
    const id = await deploy({ ...QUICK, wedo_task_id: 'WEDO-7' });
    expect(await synced.taskOver('WEDO-7')).toMatchObject({ status: 'failed' });
    expect(synced.task(id)).toBeUndefined();
  });

  it('tells on its task why it was rolled back', async () => {
    const app = bench.app('back');
    const good = await deploy(serving('good'), app);
    await bench.client.ended(good);
    const requests = [{ path: '/', expect: { body_contains: 'something else' }, attempts: 1 }];
    const bad = await deploy({ ...serving('bad'), plugins: [{ name: 'smoke-test', options: { requests } }] }, app);
    const { error } = await bench.client.rolledBack(bad);
    await eventually(() => synced.summaries(bad).at(-1) === 'rolled_back');
    await eventually(() => JSON.stringify(synced.task(bad)?.changes.at(-1)).includes('rolled back'));
    expect(synced.task(bad)).toMatchObject({ status: 'failed' });
    expect(JSON.stringify(synced.task(bad)?.changes.at(-1))).toContain(JSON.stringify(error?.message).slice(1, -1));
    await synced.expectComplete(bad);
  });
});

describe('where FlukeBase fails, everything arrives all the same', () => {
  it.each<[string, () => Fault]>([
    ['answers slowly', () => ({ kind: 'slow', ms: 300 })],
    ['asks to come later, in seconds', () => ({ kind: 'status', status: 429, retry_after: retryAfter.seconds(1) })],
    ['asks to come later, at a time', () => ({ kind: 'status', status: 429, retry_after: retryAfter.date(2) })],
    ['has an error', () => ({ kind: 'status', status: 500 })],
    ['is not available', () => ({ kind: 'status', status: 503 })],
    ['answers with what is no JSON', () => ({ kind: 'malformed' })],
    ['answers without an end', () => ({ kind: 'huge', bytes: 50_000_000 })],
    ['cuts the connection at once', () => ({ kind: 'cut_unread' })],
    ['cuts the connection when it has done what it was asked', () => ({ kind: 'cut_applied' })],
  ])('%s', async (_, fault) => {
    const before = failed();
    flukebase.faults.order(fault(), { times: 2 });
    const id = await deploy(QUICK);
    await synced.expectComplete(id);
    await synced.taskOver(`DEPLOY-${id}`);
    expect(failed()).toBe(before + 2);
  });

  it('does what it was asked and never says so', async () => {
    const before = failed();
    flukebase.faults.order({ kind: 'silent' }, { times: 1, route: /batch/ });
    await synced.expectComplete(await deploy(QUICK));
    expect(failed()).toBe(before + 1);
  });

  it('takes the first half of a batch', async () => {
    flukebase.faults.order({ kind: 'partial', takes: 'first_half' }, { times: 2, route: /batch/ });
    await synced.expectComplete(await deploy(QUICK));
  });

  it('takes every other entry of a batch', async () => {
    flukebase.faults.order({ kind: 'partial', takes: 'every_other' }, { times: 2, route: /batch/ });
    await synced.expectCompleteInAnyOrder(await deploy(QUICK));
  });

  it('leads elsewhere: nobody else gets to see anything', async () => {
    flukebase.faults.order({ kind: 'redirect', to: `${elsewhere.url}/api/v1` }, { times: 2 });
    await synced.expectComplete(await deploy(QUICK));
    expect(elsewhere.requests).toEqual([]);
  });

  it('finds batches too large', async () => {
    flukebase.largest_body = 4_000;
    const id = await deploy(building(0));
    await synced.expectComplete(id);
    expect(flukebase.requests.some(({ answer }) => answer === 413)).toBe(true);
  });

  it('is away: no deployment fails or waits for it', async () => {
    await flukebase.goAway();
    const id = await deploy(serving('alone'));
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    expect(synced.entries(id)).toEqual([]);
    await flukebase.comeBack();
    await synced.expectComplete(id);
    expect(await synced.taskOver(`DEPLOY-${id}`)).toMatchObject({ status: 'completed' });
  });

  it('knows no batches', async () => {
    flukebase.has_batches = false;
    const from = flukebase.requests.length;
    const id = await deploy(QUICK);
    await synced.expectComplete(id);
    const singles = () =>
      flukebase.requests.slice(from).filter(({ path, answer }) => path.endsWith('/deployment_logs') && answer === 201);
    // A request is written down once it is answered, which is after what it brought is held.
    await eventually(() => singles().length === synced.entries(id).length);
  });
});
