/** The server is killed -9 at every step of every strategy; the edge serves on, and after the restart each rollout ends right. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Traffic } from '../../src/domain/traffic.js';
import { DockerProxy } from '../support/docker-proxy.js';
import { trafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad } from '../support/traffic-load.js';
import { until } from '../support/until.js';
import { Workbench } from '../support/workbench.js';

interface Moment {
  readonly name: string;
  /** The message of the log that tells that it has come. */
  readonly told: RegExp;
  /** Of the deployment that goes back. */
  readonly inRollback?: boolean;
  readonly strategy: unknown;
  readonly replicas?: number;
  readonly bake_ms?: number;
  /** What is wrong with the version: then it is rolled back. */
  readonly bad?: Partial<TrafficAppOptions>;
  /** It waits for `promote`. */
  readonly promote?: boolean;
  /** It, or its rollback, may have ended by the time the kill comes: then the test says only that it ended right. */
  readonly late?: boolean;
}

const ROLLING = { strategy: { type: 'rolling', max_surge: 1 }, replicas: 2 };
const BLUE_GREEN = { strategy: { type: 'blue_green', scale_down_delay_seconds: 0 } };
const BLUE_GREEN_WAITING = { strategy: { ...BLUE_GREEN.strategy, auto_promote: false } };
const canary = (last: unknown) => ({
  strategy: {
    type: 'canary',
    steps: [{ set_weight: 20 }, { pause: { duration_seconds: 1 } }, { set_weight: 60 }, { pause: last }],
    analysis: false,
    scale_down_delay_seconds: 0,
  },
});
const CANARY = canary({ duration_seconds: 1 });
/** It falls ill once it serves. */
const ILL = { strategy: 'rolling', bad: { unhealthy_after_ms: 10_000 }, bake_ms: 60_000 };

/** Those of one round are caught, each at its moment, by the same kill. */
const ROUNDS: Readonly<Record<string, readonly Moment[]>> = {
  'in a rolling update': [
    { ...ROLLING, name: 'roll-made', told: /_r2 created/ },
    { ...ROLLING, name: 'roll-first', told: /1 of 2 new replicas take requests/ },
    { ...ROLLING, name: 'roll-old', told: /_r1: 2 → 1 replicas/ },
    { ...ROLLING, name: 'roll-last', told: /_r2: 1 → 2 replicas/ },
    { ...ROLLING, name: 'roll-bake', told: /Post-deploy checks started/, bake_ms: 5_000 },
  ],
  'in a canary': [
    { ...CANARY, name: 'can-made', told: /_r2 created/ },
    { ...CANARY, name: 'can-first', told: /20 % of the requests go/ },
    { ...CANARY, name: 'can-second', told: /60 % of the requests go/ },
    { ...canary({}), name: 'can-pause', told: /Rollout paused/, promote: true },
    { ...CANARY, name: 'can-all', told: /All requests go to/ },
  ],
  'from blue to green, and on the way back': [
    { ...BLUE_GREEN, name: 'green-made', told: /_r2 created/ },
    { ...BLUE_GREEN_WAITING, name: 'green-well', told: /Rollout paused/, promote: true },
    { ...BLUE_GREEN, name: 'green-all', told: /All requests go to/ },
    { ...BLUE_GREEN, name: 'green-gone', told: /retires from/, late: true },
    { ...ILL, name: 'ill-back', told: /is taken back/ },
    { ...ILL, name: 'ill-gone', told: /All requests go back/ },
    { ...ILL, name: 'ill-failed', told: /Rollback to release 1 .*ordered/, late: true },
    { ...ILL, name: 'ill-rollback', told: /Deploy started/, inRollback: true, late: true },
  ],
};
const MOMENTS = Object.values(ROUNDS).flat();

let proxy: DockerProxy;
let bench: Workbench;

const version = (
  name: string,
  { replicas = 1, bad, bake_ms = 2_000 }: Moment,
  fields: Record<string, unknown> = {},
) => {
  const app = trafficApp({ version: name, ...(name === 'fresh' && bad) });
  return { ...app, version: name, replicas, health_check: { ...app.health_check, bake_ms }, ...fields };
};

beforeAll(async () => {
  proxy = await DockerProxy.start();
  bench = await Workbench.withEdge({ DOCKER_HOST: proxy.host, FLUKEDEPLOY_CONCURRENCY: '8' });
  // The way back takes a while too, so that the kill finds it under way.
  const bake_ms = ({ bad }: Moment) => (bad ? 4_000 : 0);
  for (const moment of MOMENTS) bench.start(moment.name, version('stable', { ...moment, bake_ms: bake_ms(moment) }));
  for (const { name } of MOMENTS) expect(await bench.ended(name)).toMatchObject({ status: 'success' });
}, 240_000);
afterAll(async () => {
  await bench.clear();
  await proxy.stop();
});

interface Run {
  readonly moment: Moment;
  readonly load: TrafficLoad;
  readonly id: string;
}

async function begin(moment: Moment): Promise<Run> {
  const load = await TrafficLoad.start({
    url: `http://127.0.0.1:${bench.edge!.http}`,
    host: bench.host(moment.name),
    requests_per_second: 10,
    mix: { keep_alive: 60, fresh: 30, post: 10 },
    connections: 4,
    websockets: 0,
  });
  const { strategy, name } = moment;
  const { deployment_id } = await bench.client.deploy({
    app_name: bench.app(name),
    ...version('fresh', moment, { strategy }),
  });
  return { moment, load, id: deployment_id };
}

/** From its moment on the app stays as it is: no call to the Engine that names it is answered any more. */
async function caught({ moment: { name, told, inRollback }, id }: Run): Promise<void> {
  await until(
    async () => {
      const watched = inRollback ? (await bench.client.status(id)).rollback?.by : id;
      return watched !== undefined && (await bench.client.messages(watched)).some((message) => told.test(message));
    },
    `${name} comes to its moment`,
    90_000,
  );
  proxy.freeze(bench.app(name));
}

/** Where the store says that the requests go, and what retires. */
async function routed(name: string): Promise<{ services: string[]; guests: unknown[]; retiring: unknown[] }> {
  const [row] = await bench.database((database) =>
    database.query<{ traffic: Traffic; retiring: unknown[] }>(
      'select traffic, retiring from traffic where app_name = $1',
      [bench.app(name)],
    ),
  );
  const { stable = [], canary: one, preview } = row?.traffic ?? {};
  const guests = [one, preview].filter((guest) => guest !== undefined);
  return { services: stable.map(({ service }) => service), guests, retiring: row?.retiring ?? [] };
}

async function endsRight({ moment: { name, bad, promote, late }, load, id }: Run): Promise<void> {
  if (promote) {
    await bench.client.until(id, ({ rollout }) => rollout?.paused !== undefined);
    expect(await bench.client.request('POST', `/api/v1/deployments/${id}/promote`, {})).toMatchObject({ status: 202 });
  }
  const view = await bench.client.ended(id);
  if (bad) {
    expect(view).toMatchObject({ error: { code: 'health_check_failed' } });
    const { rolled_back_by } = await bench.client.rolledBack(id);
    expect(await bench.client.ended(rolled_back_by ?? '')).toMatchObject({ status: 'success', version: 'stable' });
  } else if (view.status !== 'success') {
    throw new Error(`${name} is ${view.status}\n${(await bench.client.messages(id)).join('\n')}`);
  }
  const rollback = (await bench.client.status(id)).rolled_back_by;
  const messages = await Promise.all([id, ...(rollback ? [rollback] : [])].map((one) => bench.client.messages(one)));
  // Otherwise the kill would have proved nothing.
  if (!late) expect(messages.flat().join('\n')).toContain('the worker before was lost');
  const service = `${bench.app(name)}_r${bad ? 1 : 2}`;
  await until(
    async () => {
      const services = (await bench.swarm.services(bench.app(name))).map(({ Spec }) => Spec?.Name);
      return services.length === 1 && services[0] === service && (await routed(name)).retiring.length === 0;
    },
    `only ${service} is left`,
    60_000,
  );
  expect(await routed(name)).toEqual({ services: [service], guests: [], retiring: [] });
  await load.until((seen) => seen === (bad ? 'stable' : 'fresh'));
  const { failed, failures } = await load.stop();
  expect({ name, failed, failures: failures.slice(0, 5) }).toEqual({ name, failed: 0, failures: [] });
}

describe('kill -9 and restart', () => {
  it.each(Object.entries(ROUNDS))(
    '%s',
    async (_, moments) => {
      const runs = await Promise.all(moments.map(begin));
      try {
        await Promise.all(runs.map(caught));
        await bench.installation.kill();
        proxy.thaw();
        await bench.installation.start();
        const ends = await Promise.allSettled(runs.map(endsRight));
        expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
      } finally {
        await Promise.all(runs.map(({ load }) => load.kill()));
      }
    },
    240_000,
  );
});
