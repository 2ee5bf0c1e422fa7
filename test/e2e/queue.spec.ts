/** Who comes first, who waits, who gives way: one deployment at a time per app and environment, all others side by side. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PHASES } from '../../src/domain/phases.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { isRunning } from '../support/processes.js';
import { until } from '../support/until.js';
import { lines, QUICK_CHECK, serving } from '../support/web-apps.js';
import { NOTHING, Workbench } from '../support/workbench.js';

/** Stands in the output of a build: each one's own, or Docker would find the step done already. */
const newMark = () => `mark-${randomBytes(6).toString('hex')}`;
/** Takes its time to be built. */
const building = (seconds: number, mark = newMark()) => ({
  source: { dockerfile: lines('FROM busybox:1', `RUN sleep ${seconds}; echo ${mark}`, 'CMD ["sleep", "1000"]') },
  port: 0,
});
/** Starts, and is never healthy before the deployment's end. */
const NEVER_HEALTHY = {
  source: { dockerfile: lines('FROM busybox:1', 'HEALTHCHECK --interval=600s CMD true', 'CMD ["sleep", "1000"]') },
};

let bench: Workbench;
beforeAll(async () => {
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '8' });
});
afterAll(() => bench.clear());

const cancel = (id: string, body: object = {}) =>
  bench.client.request<DeploymentView>('POST', `/api/v1/deployments/${id}/cancel`, body);

const runs =
  (phase: keyof DeploymentView['phases']) =>
  ({ phases }: DeploymentView): boolean =>
    phases[phase].status === 'running';

async function expectCancelled(id: string, error: object): Promise<DeploymentView> {
  const view = await bench.client.ended(id);
  expect(view).toMatchObject({ status: 'cancelled', error, finished_at: expect.any(String) });
  expect(view.links).not.toHaveProperty('cancel');
  const entries = await bench.client.entries(id);
  for (const entry of entries) await assertValidEntry(entry);
  expect(entries.at(-1)?.flukedeploy_metadata).toMatchObject({ status: 'cancelled' });
  return view;
}

async function expectNothingLeft(name: string): Promise<void> {
  await until(async () => (await bench.remainsOf(name)).containers.length === 0, `no container of ${name}`, 20_000);
  expect(await bench.remainsOf(name)).toEqual(NOTHING);
}

describe('deployments of one app', () => {
  it('run one after another, and say where they stand', async () => {
    const app_name = bench.app('line');
    const first = await bench.client.deploy({ app_name, ...building(2) });
    const second = await bench.client.deploy({ app_name, ...serving('second') });
    const third = await bench.client.deploy({ app_name, ...serving('third') });
    expect([first, second, third].map(({ release, position }) => ({ release, position }))).toEqual([
      { release: 1, position: 0 },
      { release: 2, position: 1 },
      { release: 3, position: 2 },
    ]);
    expect(second).toMatchObject({ status: 'pending', behind: first.deployment_id });
    expect(third).toMatchObject({ status: 'pending', behind: second.deployment_id });
    expect(first).not.toHaveProperty('behind');

    const ended = await Promise.all(
      [first, second, third].map(({ deployment_id }) => bench.client.ended(deployment_id)),
    );
    expect(ended.map(({ status, position, error }) => ({ status, position, error }))).toEqual(
      Array(3).fill({ status: 'success', position: 0 }),
    );
    const [one, two, three] = ended;
    expect(two?.started_at && one?.finished_at && two.started_at >= one.finished_at).toBe(true);
    expect(three?.started_at && two?.finished_at && three.started_at >= two.finished_at).toBe(true);
    expect((await bench.swarm.service(app_name))?.deployment).toBe(third.deployment_id);
  });

  it('are refused with on_conflict reject while another is in progress', async () => {
    const app_name = bench.app('reject');
    const { deployment_id } = await bench.client.deploy({ app_name, ...building(100) });
    const again = { app_name, ...serving('never'), on_conflict: 'reject' };
    const answer = await bench.client.request('POST', '/api/v1/deploy', again);
    expect(answer).toMatchObject({ status: 409, body: { code: 'deployment_in_progress' } });
    expect(answer.body['detail']).toContain(deployment_id);

    await cancel(deployment_id);
    await bench.client.ended(deployment_id);
    expect(await bench.client.run(again)).toMatchObject({ status: 'success', release: 2 });
  });

  it('make way for one with on_conflict supersede, whether they wait or run', async () => {
    const app_name = bench.app('super');
    const running = await bench.client.deploy({ app_name, ...building(100) });
    await bench.client.until(running.deployment_id, runs('build'));
    const waiting = await bench.client.deploy({ app_name, ...serving('never') });
    const newest = await bench.client.deploy({ app_name, ...serving('newest'), on_conflict: 'supersede' });

    const by = { code: 'superseded', message: expect.stringContaining(newest.deployment_id) };
    await expectCancelled(running.deployment_id, by);
    const skipped = await expectCancelled(waiting.deployment_id, by);
    expect(skipped).not.toHaveProperty('started_at');
    expect(await bench.client.ended(newest.deployment_id)).toMatchObject({ status: 'success' });
    expect((await bench.swarm.get('/', app_name)).trim()).toBe('newest');
  });

  it('do not wait for those of another environment', async () => {
    const app_name = bench.app('env');
    const { deployment_id } = await bench.client.deploy({ app_name, ...building(100) });
    const staging = await bench.client.run({ app_name, ...serving('staging'), environment: 'staging' });
    expect(staging).toMatchObject({ status: 'success', release: 1, environment: 'staging' });
    expect(await bench.client.status(deployment_id)).toMatchObject({ status: 'building' });
    expect((await bench.swarm.get('/', `${app_name}--staging`)).trim()).toBe('staging');
    await cancel(deployment_id);
    await bench.client.ended(deployment_id);
  });
});

it('deployments of different apps overlap in time', async () => {
  const views = await Promise.all(
    ['red', 'green', 'blue'].map((name) => bench.client.run({ app_name: bench.app(name), ...building(3) })),
  );
  const builds = views.map(({ phases: { build } }) => {
    const begin = Date.parse(build.started_at ?? '');
    return { begin, end: begin + (build.duration_ms ?? 0) };
  });
  expect(Math.max(...builds.map(({ begin }) => begin))).toBeLessThan(Math.min(...builds.map(({ end }) => end)));
});

describe('cancel', () => {
  it('of a waiting deployment ends it at once, with the reason given', async () => {
    const app_name = bench.app('waiting');
    const first = await bench.client.deploy({ app_name, ...building(100) });
    const { deployment_id } = await bench.client.deploy({ app_name, ...serving('never') });
    const answer = await cancel(deployment_id, { reason: 'wrong branch' });
    expect(answer).toMatchObject({ status: 202, body: { status: 'cancelled', cancel_reason: 'wrong branch' } });
    const view = await expectCancelled(deployment_id, { code: 'cancelled', message: 'Cancelled: wrong branch' });
    expect(PHASES.map((phase) => view.phases[phase].status)).toEqual(Array(5).fill('skipped'));

    expect(await bench.client.status(first.deployment_id)).toMatchObject({ status: 'building' });
    await cancel(first.deployment_id);
    await bench.client.ended(first.deployment_id);
  });

  it('of a running build ends its processes, leaves nothing, and the next deployment works', async () => {
    const app_name = bench.app('build');
    const mark = newMark();
    const { deployment_id } = await bench.client.deploy({ app_name, ...building(100, mark) });
    await until(() => isRunning(mark), 'the build runs');
    expect((await cancel(deployment_id)).status).toBe(202);

    const view = await expectCancelled(deployment_id, { code: 'cancelled' });
    expect(view.phases).toMatchObject({ build: { status: 'failed' }, deploy: { status: 'skipped' } });
    await until(async () => !(await isRunning(mark)), 'the build has ended', 5_000);
    await expectNothingLeft('build');
    expect(await bench.client.run({ app_name, ...serving('next') })).toMatchObject({ status: 'success', release: 2 });
  });

  it('of a first deploy phase removes the service', async () => {
    const app_name = bench.app('fresh');
    const { deployment_id } = await bench.client.deploy({ app_name, ...NEVER_HEALTHY });
    await until(async () => (await bench.swarm.service(app_name)) !== undefined, 'the service exists', 30_000);
    await cancel(deployment_id);
    expect(await expectCancelled(deployment_id, { code: 'cancelled' })).toMatchObject({
      phases: { deploy: { status: 'failed' } },
    });
    await expectNothingLeft('fresh');
  });

  it('of a later deploy phase puts the service back', async () => {
    const app_name = bench.app('later');
    const live = await bench.client.run({ app_name, ...serving('before') });
    const { deployment_id } = await bench.client.deploy({ app_name, ...NEVER_HEALTHY, command: [] });
    await until(
      async () => (await bench.swarm.service(app_name))?.deployment === deployment_id,
      'the service is being changed',
      30_000,
    );
    await cancel(deployment_id);
    await expectCancelled(deployment_id, { code: 'cancelled' });
    expect(await bench.swarm.service(app_name)).toEqual({
      image: live.image,
      deployment: live.deployment_id,
      running: 1,
    });
    await until(async () => (await bench.swarm.get('/', app_name)).trim() === 'before', 'the first one serves');
  });

  it('of a post_deploy phase takes the service back even without auto_rollback', async () => {
    const app_name = bench.app('probed');
    const watched = { ...serving('watched'), health_check: { ...QUICK_CHECK, bake_ms: 60_000 } };
    const { deployment_id } = await bench.client.deploy({ app_name, ...watched, auto_rollback: false });
    await bench.client.until(deployment_id, runs('post_deploy'));
    await cancel(deployment_id);
    await expectCancelled(deployment_id, { code: 'cancelled' });
    await expectNothingLeft('probed');
  });

  it('of a deployment that has ended is refused', async () => {
    const { deployment_id } = await bench.client.run({ app_name: bench.app('done'), ...serving('done'), replicas: 0 });
    expect(await cancel(deployment_id)).toMatchObject({ status: 409, body: { code: 'deployment_ended' } });
    expect(await cancel('dep-that-never-was')).toMatchObject({ status: 404, body: { code: 'deployment_not_found' } });
  });
});

describe('an Idempotency-Key', () => {
  const deploy = (name: string, key: string, fields: object = {}) =>
    bench.client.request<DeploymentView>(
      'POST',
      '/api/v1/deploy',
      { app_name: bench.app(name), ...serving('once'), replicas: 0, ...fields },
      { 'idempotency-key': key },
    );
  const count = async (name: string) =>
    (await bench.client.request<{ total: number }>('GET', `/api/v1/apps/${bench.app(name)}/deployments`)).body.total;

  it('gives the same deployment again, also when it has ended', async () => {
    const first = await deploy('key', 'a');
    await bench.client.ended(first.body.deployment_id);
    const again = await deploy('key', 'a');
    expect(again).toMatchObject({ status: 202, body: { deployment_id: first.body.deployment_id, status: 'success' } });
    expect(await count('key')).toBe(1);
    expect((await deploy('key', 'b')).body.deployment_id).not.toBe(first.body.deployment_id);
  });

  it('is refused with another body', async () => {
    await deploy('other', 'c');
    const answer = await deploy('other', 'c', { replicas: 1 });
    expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await count('other')).toBe(1);
  });

  it('makes one deployment of five requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => deploy('five', 'd')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(202));
    expect(new Set(answers.map(({ body }) => body.deployment_id)).size).toBe(1);
    expect(await count('five')).toBe(1);
  });
});
