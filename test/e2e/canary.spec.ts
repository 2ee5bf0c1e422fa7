/** The canary on a real edge: who meets it, what its requests say of it, and what people say to a rollout. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { trafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad } from '../support/traffic-load.js';
import { until } from '../support/until.js';
import { Visitors } from '../support/visitors.js';
import { Workbench } from '../support/workbench.js';

const STABLE = ['split', 'sticky', 'errors', 'slow', 'good', 'few', 'back', 'rolling', 'green', 'lost'];
/** Of the app whose canary takes twice as long. */
const LATENCY_MS = 60;

let bench: Workbench;

beforeAll(async () => {
  bench = await Workbench.withEdge({ FLUKEDEPLOY_CONCURRENCY: '8' });
  for (const name of STABLE) {
    const options = name === 'slow' ? { extra_latency_ms: LATENCY_MS } : {};
    bench.start(name, version('stable', options));
  }
  for (const name of STABLE) expect(await bench.ended(name)).toMatchObject({ status: 'success' });
}, 240_000);
afterAll(() => bench.clear());

const version = (name: string, options: Partial<TrafficAppOptions> = {}, fields: Record<string, unknown> = {}) => ({
  ...trafficApp({ version: name, ...options }),
  version: name,
  ...fields,
});

const canary = (steps: readonly unknown[], fields: Record<string, unknown> = {}) => ({
  strategy: { type: 'canary', steps, analysis: false, scale_down_delay_seconds: 0, ...fields },
});

const PAUSE = { pause: {} };
const paused = ({ rollout }: DeploymentView) => rollout?.paused !== undefined;
const pausedIn = (step: number) => (view: DeploymentView) => paused(view) && view.rollout?.step === step;

const visitors = (name: string, host = bench.host(name)) => new Visitors(bench.edge!.http, host);

async function deploy(name: string, spec: Record<string, unknown>): Promise<string> {
  return (await bench.client.deploy({ app_name: bench.app(name), ...spec })).deployment_id;
}

async function say(id: string, word: 'promote' | 'pause' | 'resume' | 'abort', body: unknown = {}): Promise<void> {
  const answer = await bench.client.request('POST', `/api/v1/deployments/${id}/${word}`, body);
  expect(answer).toMatchObject({ status: 202 });
}

/** The service of the deployment that is live, and no other. */
async function onlyServiceIs(name: string, deployment: string): Promise<void> {
  await until(
    async () => {
      const services = await bench.swarm.services(bench.app(name));
      return services.length === 1 && services[0]?.Spec?.Labels?.['flukedeploy.deployment'] === deployment;
    },
    `only the service of ${deployment} is left`,
    60_000,
  );
}

async function stableOf(name: string): Promise<string> {
  return (await bench.ended(name)).deployment_id;
}

describe('the share of the requests', () => {
  const WEIGHTS = [5, 10, 25, 50];
  const REQUESTS = 10_000;
  const MATCH = [
    { header: 'X-Tester', value: 'yes' },
    { cookie: 'beta', value: 'on' },
  ];

  it('is the weight within one percentage point, and always reaches those who ask for the canary', async () => {
    const steps = WEIGHTS.flatMap((set_weight) => [{ set_weight }, PAUSE]);
    const id = await deploy('split', version('fresh', {}, canary(steps, { match: MATCH })));
    for (const [index, weight] of WEIGHTS.entries()) {
      await bench.client.until(id, pausedIn(2 * index + 2));
      if (index === 0) {
        expect(await visitors('split').count(200, { headers: { 'x-tester': 'yes' } })).toEqual({ fresh: 200 });
        expect(await visitors('split').count(200, { headers: { cookie: 'a=b; beta=on' } })).toEqual({ fresh: 200 });
      }
      const { stable = 0, fresh = 0, ...others } = await visitors('split').count(REQUESTS);
      expect({ others, all: stable + fresh }).toEqual({ others: {}, all: REQUESTS });
      expect(Math.abs((100 * fresh) / REQUESTS - weight)).toBeLessThanOrEqual(1);
      await say(id, 'promote');
    }
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    expect(await visitors('split').count(200)).toEqual({ fresh: 200 });
    await onlyServiceIs('split', id);
  });
});

describe('sticky visitors', () => {
  const VISITORS = 300;

  it('stay with their version, and with the canary when it gets more', async () => {
    const steps = [{ set_weight: 20 }, PAUSE, { set_weight: 50 }, PAUSE];
    const id = await deploy('sticky', version('fresh', {}, canary(steps, { stickiness: 'cookie' })));
    await bench.client.until(id, pausedIn(2));
    const first = await visitors('sticky').each(Array.from({ length: VISITORS }, () => ({})));
    const cookies = first.map((visit) => ({ cookie: visit.cookies.join('; ') }));
    expect(new Set(cookies.map(({ cookie }) => cookie)).size).toBe(VISITORS);
    const metIt = (visits: readonly { version: string }[]) => visits.map((visit) => visit.version === 'fresh');
    const share = (met: readonly boolean[]) => met.filter(Boolean).length / VISITORS;
    const met = metIt(first);
    // More than four standard deviations to either side.
    expect(Math.abs(share(met) - 0.2)).toBeLessThan(0.1);
    for (let round = 0; round < 4; round++) expect(metIt(await visitors('sticky').each(cookies))).toEqual(met);

    await say(id, 'promote');
    await bench.client.until(id, pausedIn(4));
    const later = metIt(await visitors('sticky').each(cookies));
    expect(Math.abs(share(later) - 0.5)).toBeLessThan(0.13);
    expect(met.filter((isFresh, index) => isFresh && !later[index])).toHaveLength(0);
    for (let round = 0; round < 3; round++) expect(metIt(await visitors('sticky').each(cookies))).toEqual(later);

    await say(id, 'promote', { full: true });
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    await onlyServiceIs('sticky', id);
  });
});

describe('the analysis', () => {
  const ANALYSIS = { interval_seconds: 1, min_requests: 50 };
  const STEPS = [{ set_weight: 50 }, { pause: { duration_seconds: 20 } }];
  const load = (name: string, requests_per_second = 150) =>
    TrafficLoad.start({
      url: `http://127.0.0.1:${bench.edge!.http}`,
      host: bench.host(name),
      requests_per_second,
      mix: { keep_alive: 1 },
      websockets: 0,
    });

  it.each([
    ['errors', { error_percent: 5 }, /requests \(.* %\) of the canary failed, 0 of \d+ requests/],
    ['slow', { extra_latency_ms: 2 * LATENCY_MS }, /of the canary's requests took up to .* ms, .* times as long/],
  ])('takes a version back by itself: %s', async (name, options, reason) => {
    const running = await load(name);
    try {
      const id = await deploy(name, version('bad', options, canary(STEPS, { analysis: ANALYSIS })));
      const view = await bench.client.ended(id);
      expect(view).toMatchObject({ error: { code: 'analysis_failed', evidence: expect.any(Array) }, has_served: true });
      expect(view.error?.message).toMatch(reason);
      const numbers = /: (\d+) requests, (\d+) with 5xx, p50 [\d.]+ ms, p95 [\d.]+ ms$/;
      for (const line of view.error?.evidence ?? []) expect(line).toMatch(numbers);
      const { rolled_back_by = '' } = await bench.client.rolledBack(id);
      expect(await bench.client.ended(rolled_back_by)).toMatchObject({ status: 'success', version: 'stable' });
      running.mark('afterwards');
      await running.until((seen) => seen === 'stable');
      await onlyServiceIs(name, await stableOf(name));
    } finally {
      const { by_kind, phases } = await running.stop();
      // What the bad version itself said is no failure of the edge; nothing else went wrong.
      expect(Object.keys(by_kind)).toEqual(name === 'errors' ? ['server_error'] : []);
      expect(phases.at(-1)).toMatchObject({
        name: 'afterwards',
        failed: 0,
        by_version: { stable: expect.any(Number) },
      });
    }
  });

  it('promotes a good version by itself', async () => {
    const running = await load('good');
    const steps = [
      { set_weight: 20 },
      { pause: { duration_seconds: 6 } },
      { set_weight: 60 },
      { pause: { duration_seconds: 4 } },
    ];
    const id = await deploy('good', version('fresh', {}, canary(steps, { analysis: ANALYSIS })));
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    await running.until((seen) => seen === 'fresh');
    expect(await running.stop()).toMatchObject({ failed: 0 });
    expect((await bench.client.messages(id)).join('\n')).toContain('Analysis of the step: promote.');
    await onlyServiceIs('good', id);
  });

  it('waits for a person where there were too few requests', async () => {
    const steps = [{ set_weight: 50 }, { pause: { duration_seconds: 2 } }];
    const id = await deploy('few', version('fresh', {}, canary(steps, { analysis: ANALYSIS })));
    const view = await bench.client.until(id, paused);
    expect(view.rollout?.paused?.reason).toMatch(/The canary had \d+ of the 50 requests that a verdict needs/);
    expect(view.deadline_at).toBeUndefined();
    await say(id, 'promote');
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    await onlyServiceIs('few', id);
  });
});

describe('what people say', () => {
  it('abort takes a canary back', async () => {
    const id = await deploy('back', version('fresh', {}, canary([{ set_weight: 50 }, PAUSE])));
    await bench.client.until(id, paused);
    const { stable = 0, fresh = 0 } = await visitors('back').count(100);
    expect({ stable, fresh }).toEqual({ stable: 50, fresh: 50 });
    await say(id, 'abort', { reason: 'it is ugly' });
    const view = await bench.client.ended(id);
    expect(view).toMatchObject({ error: { code: 'aborted', message: expect.stringContaining('it is ugly') } });
    await bench.client.rolledBack(id);
    expect(await visitors('back').count(100)).toEqual({ stable: 100 });
    await onlyServiceIs('back', await stableOf('back'));
  });

  it('pause stops a rolling update, and its deadlines with it, until resume', async () => {
    // It becomes healthy later than its deadline allows, but for the pause.
    const check = { path: '/health', interval_ms: 200, healthy_threshold: 1, deadline_ms: 8_000 };
    const fields = { strategy: 'rolling', health_check: check };
    const spec = version('fresh', { healthy_after_ms: 12_000 }, fields);
    const id = await deploy('rolling', spec);
    await bench.client.until(id, ({ rollout }) => rollout !== undefined);
    await say(id, 'pause', { reason: 'lunch' });
    const { deadline_at, rollout } = await bench.client.status(id);
    expect({ deadline_at, reason: rollout?.paused?.reason }).toEqual({ deadline_at: undefined, reason: 'lunch' });
    const pausedAt = Date.now();
    await until(async () => Date.now() - pausedAt > 9_000, 'more than the deadline has gone by', 15_000);
    expect(await bench.client.status(id)).toMatchObject({
      status: 'deploying',
      rollout: { paused: { reason: 'lunch' } },
    });
    expect(await visitors('rolling').count(50)).toEqual({ stable: 50 });
    await say(id, 'resume');
    expect((await bench.client.status(id)).deadline_at).toBeDefined();
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    expect(await visitors('rolling').count(50)).toEqual({ fresh: 50 });
    await onlyServiceIs('rolling', id);
  });
});

describe('a canary whose only replica is lost', () => {
  it('leaves its share to the stable version, and has it again with another one, while it waits for promote', async () => {
    const id = await deploy('lost', version('fresh', {}, canary([{ set_weight: 50 }, PAUSE])));
    await bench.client.until(id, paused);
    const load = await TrafficLoad.start({
      url: `http://127.0.0.1:${bench.edge!.http}`,
      host: bench.host('lost'),
      mix: { keep_alive: 1 },
      websockets: 0,
    });
    const fresh = () => load.versionsSince()['fresh'] ?? 0;
    try {
      await until(async () => fresh() > 0, 'the canary answers');
      await bench.swarm.scale(bench.app('lost'), 0);
      await load.until((seen) => seen === 'stable', { last_ms: 3_000, timeout_ms: 30_000 });
      load.mark('without');
      await bench.swarm.scale(bench.app('lost'), 1);
      await until(async () => fresh() > 0, 'the canary answers again', 30_000);
      load.mark('again');
      await until(
        async () => fresh() >= 50,
        () => `it goes on answering: ${JSON.stringify(load.report().timeline)}`,
        30_000,
      );
      load.mark('promoted');
      await say(id, 'promote');
      expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
      await load.until((seen) => seen === 'fresh');
      const { phases } = await load.stop();
      // Before that, requests may have been on their way to the replica.
      const [without, again, promoted] = phases.slice(1);
      expect(without).toMatchObject({ name: 'without', failed: 0 });
      expect(again).toMatchObject({ name: 'again', failed: 0 });
      expect(promoted).toMatchObject({ name: 'promoted', failed: 0 });
      const { stable = 0, fresh: back = 0 } = again!.by_version;
      expect(Math.abs(back / (stable + back) - 0.5)).toBeLessThan(0.1);
    } finally {
      await load.kill();
    }
    await onlyServiceIs('lost', id);
  });
});

describe('blue and green', () => {
  it('shows the new version at its preview host, and switches when it is promoted', async () => {
    const preview_host = `preview-${bench.host('green')}`;
    const strategy = { type: 'blue_green', auto_promote: false, preview_host, scale_down_delay_seconds: 600 };
    const id = await deploy('green', version('fresh', {}, { strategy }));
    const waiting = await bench.client.until(id, paused);
    expect(waiting).toMatchObject({ rollout: { paused: { reason: expect.stringContaining('promote') } } });
    expect(await visitors('green', preview_host).count(50)).toEqual({ fresh: 50 });
    expect(await visitors('green').count(50)).toEqual({ stable: 50 });

    await say(id, 'promote');
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success' });
    expect(await visitors('green').count(50)).toEqual({ fresh: 50 });
    expect(await visitors('green', preview_host).count(5)).toEqual({ 'none 404': 5 });

    const replicas = await bench.swarm.running(bench.app('green'));
    expect(replicas).toHaveLength(2);
    const answer = await bench.client.request<DeploymentView>(
      'POST',
      `/api/v1/apps/${bench.app('green')}/rollback`,
      {},
    );
    expect(answer).toMatchObject({ status: 202 });
    expect(await bench.client.ended(answer.body.deployment_id)).toMatchObject({ status: 'success', version: 'stable' });
    expect(await visitors('green').count(50)).toEqual({ stable: 50 });
    // The one that is kept was used again; the one that was switched off waits in its turn.
    expect(await bench.swarm.running(bench.app('green'))).toEqual(replicas);
  });

  it('keep the preview host to their app, as long as it is configured', async () => {
    const preview_host = `${bench.app('next')}.example.com`;
    const strategy = { type: 'blue_green', preview_host, scale_down_delay_seconds: 0 };
    const first = await deploy('green', version('fresh', {}, { strategy }));
    expect(await bench.client.ended(first)).toMatchObject({ status: 'success' });

    const other = { app_name: bench.app('rolling'), ...version('other'), domains: [preview_host] };
    const message = `${preview_host} belongs to another app`;
    expect(await bench.client.request('POST', '/api/v1/deploy', other)).toMatchObject({
      status: 409,
      body: { code: 'domain_taken', errors: [{ path: 'domains', message }] },
    });
    const taken = expect.objectContaining({ code: 'domain_taken', path: 'domains.0', message, stops: true });
    const validated = () => bench.client.request('POST', '/api/v1/validate', other);
    expect(await validated()).toMatchObject({ body: { valid: false, issues: expect.arrayContaining([taken]) } });

    // By the strategy that is stored: it shows itself there again.
    const second = await deploy('green', version('next'));
    expect(await bench.client.ended(second)).toMatchObject({ status: 'success' });
    expect(await visitors('green').count(20)).toEqual({ next: 20 });
    const events = await bench.client.entries(second);
    expect(events.map((entry) => entry.message)).toContainEqual(expect.stringContaining(`at ${preview_host}`));

    const path = `/api/v1/apps/${bench.app('green')}`;
    const answer = await bench.client.request<DeploymentView>('PATCH', path, { strategy: 'rolling' });
    expect(await bench.client.ended(answer.body.deployment_id)).toMatchObject({ status: 'success' });
    expect(await validated()).toMatchObject({ body: { valid: true } });
  });
});
