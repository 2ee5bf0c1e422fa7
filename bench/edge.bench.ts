/** What the edge costs: the same requests to the same container through FlukeDeploy's edge and through a plain nginx. */
import type Docker from 'dockerode';
import { TRAFFIC_APP_PORT, trafficApp } from '../test/support/traffic-app.ts';
import { until } from '../test/support/until.ts';
import { startPlainNginx } from './baselines/plain-nginx.ts';
import { comparison, now, quantile, type Benchmark, type Measure } from './support/benchmark.ts';
import { fetchOnce, load, type Load } from './support/http-load.ts';
import { startServerWithEdge } from './support/server-with-edge.ts';

const HOST = 'bench.test';
const LOADS = [
  { what: 'one kept connection', connections: 1, requests: 1_500, keepAlive: true },
  { what: '32 kept connections', connections: 32, requests: 6_000, keepAlive: true },
  { what: '8 at once, each on a new connection', connections: 8, requests: 2_000, keepAlive: false },
] as const;
const QUICK_REQUESTS = 64;

interface Result {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export const edge: Benchmark = async (scope, { quick, rounds }) => {
  const { client, docker, folder, prefix, url } = await startServerWithEdge(scope);
  const app = { app_name: `${prefix}-app`, project: prefix, domains: [HOST] };
  await client.succeed({ ...app, ...trafficApp({ version: 'v1' }) });

  const upstream = `${await addressOf(docker, app.app_name)}:${TRAFFIC_APP_PORT}`;
  const nginx = await startPlainNginx(scope, { docker, folder, upstream });
  const headers = { host: HOST };
  await until(() => fetchOnce(url, headers).catch(() => undefined), `the edge serves ${HOST}`, 30_000);

  const measures: Measure[] = [];
  for (const { what, ...shape } of LOADS) {
    const order = { ...shape, headers, ...(quick && { requests: QUICK_REQUESTS }) };
    const [ours, raw]: [Result[], Result[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      ours.push(await measured({ ...order, url }));
      raw.push(await measured({ ...order, url: nginx.url }));
    }
    const measure = (name: string, unit: Measure['unit'], take: (result: Result) => number): Measure => ({
      what: `${what}: ${name}`,
      unit,
      ours: ours.map(take),
      raw: raw.map(take),
    });
    measures.push(
      measure('p50', 'ms', ({ p50 }) => p50),
      measure('p99', 'ms', ({ p99 }) => p99),
      measure('requests', '/s', ({ perSecond }) => perSecond),
    );
  }
  return [comparison('A page of 2 kB', `plain ${nginx.kind}`, measures)];
};

/** A tenth of it goes before, and is not counted. */
async function measured(order: Load): Promise<Result> {
  await load({ ...order, requests: Math.ceil(order.requests / 10) });
  const began = now();
  const durations = await load(order);
  const seconds = (now() - began) / 1_000;
  return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99), perSecond: durations.length / seconds };
}

/** Of the app's only container, as this machine reaches it. */
async function addressOf(docker: Docker, app: string): Promise<string> {
  const container = (await docker.listContainers()).find(({ Labels }) =>
    (Labels['com.docker.swarm.service.name'] ?? '').startsWith(app),
  );
  const bridge = (await docker.getNetwork('docker_gwbridge').inspect()) as {
    readonly Containers: Readonly<Record<string, { readonly IPv4Address: string }>>;
  };
  const address = container && bridge.Containers[container.Id]?.IPv4Address.split('/')[0];
  if (address === undefined) throw new Error(`no container of ${app} can be reached`);
  return address;
}
