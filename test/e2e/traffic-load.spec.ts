/** The load that proves that no request fails must itself be proved: it sees every failure there is, and none where there is none. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { FaultyProxy, type Fault } from '../support/faulty-proxy.js';
import { runTrafficApp, type RunningTrafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad, type TrafficLoadOptions } from '../support/traffic-load.js';
import type { FailureKind } from '../support/traffic-report.js';

/** Slow answers that are quick, and a time-out that comes soon: nobody waits for more than it takes. */
const QUICK = { host: 'app.test', slow_ms: 200, timeout_ms: 1_000 } as const;

const scope: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of scope.splice(0).reverse()) await undo();
});

async function app(options: Partial<TrafficAppOptions> = {}): Promise<RunningTrafficApp> {
  const running = await runTrafficApp({ version: 'v1', ...options });
  scope.push(() => running.stop());
  return running;
}

async function proxyTo({ port }: RunningTrafficApp): Promise<FaultyProxy> {
  const proxy = await FaultyProxy.start(port);
  scope.push(() => proxy.stop());
  return proxy;
}

async function load(url: string, options: Partial<TrafficLoadOptions> = {}): Promise<TrafficLoad> {
  const running = await TrafficLoad.start({ url, ...QUICK, ...options });
  scope.push(() => running.kill());
  return running;
}

/** Waits until each WebSocket has said enough to be an old one. */
async function established(running: TrafficLoad): Promise<void> {
  await eventually(() => (running.report().by_traffic.web_socket ?? 0) >= 5 * (1 + 8));
}

/** Waits until the load has counted a failure of each kind. */
async function counted(running: TrafficLoad, ...kinds: FailureKind[]): Promise<void> {
  await eventually(() => {
    const { by_kind } = running.report();
    return kinds.every((kind) => (by_kind[kind] ?? 0) > 0);
  });
}

describe('a load on a healthy app', () => {
  it('has no failures, in any kind of traffic', async () => {
    const running = await load((await app()).url);
    await running.until((version) => version === 'v1');
    running.mark('later');
    await eventually(() => (running.report().phases[1]?.total ?? 0) > 200);

    const report = await running.stop();
    expect(report).toMatchObject({ failed: 0, by_kind: {}, failures: [], web_socket_closes: [] });
    const { by_traffic } = report;
    for (const traffic of ['keep_alive', 'fresh', 'post', 'slow', 'stream', 'web_socket'] as const)
      expect(by_traffic[traffic]).toBeGreaterThan(1);
    expect(report.by_version).toEqual({ v1: report.total - by_traffic.web_socket! });
    expect(report.connections.opened).toBeGreaterThanOrEqual(30);
    expect(report.connections.reused).toBeGreaterThan(0);
    expect(report.phases.map(({ name }) => name)).toEqual(['start', 'later']);
    expect(report.phases.reduce((sum, { total }) => sum + total, 0)).toBe(report.total);
  });

  it('follows the traffic from one version to the next, and sees a graceful end as no failure', async () => {
    const [first, second] = [await app(), await app({ version: 'v2' })];
    const proxy = await proxyTo(first);
    const running = await load(proxy.url, { websocket_reconnects: 'allowed' });
    await running.until((version) => version === 'v1');
    await established(running);

    running.mark('switch');
    proxy.target = second.port;
    await first.stop('SIGTERM');
    await running.until((version) => version === 'v2');
    expect(Object.keys(running.versionsSince())).toContain('v2');

    const report = await running.stop();
    expect(report).toMatchObject({ failed: 0, failures: [] });
    expect(report.web_socket_closes.map(({ code, allowed }) => ({ code, allowed }))).toEqual(
      Array(5).fill({ code: 1001, allowed: true }),
    );
    expect(Object.keys(report.timeline[0]!)).toEqual(['v1']);
    expect(Object.keys(report.timeline.at(-1)!)).toEqual(['v2']);
  });
});

describe('a load counts', () => {
  it('every request to an app that was killed', async () => {
    const victim = await app();
    const running = await load(victim.url);
    await running.until(() => true);
    running.mark('killed');
    await victim.stop('SIGKILL');
    await counted(running, 'connection_refused', 'web_socket_closed', 'web_socket_refused');

    const { failed, failures, phases } = await running.stop();
    expect(failures[0]).toMatchObject({
      at: expect.any(String),
      expected: expect.any(String),
      detail: expect.any(String),
    });
    expect(phases[1]!.failed).toBeGreaterThan(1);
    expect(failures.length).toBe(Math.min(failed, 100));
  });

  it('an error of the app, at the share of the requests that fail', async () => {
    const running = await load((await app({ error_percent: 50 })).url, { mix: { fresh: 1 }, websockets: 0 });
    await counted(running, 'server_error');

    const { total, failed, by_kind, by_version } = await running.stop();
    expect(by_kind).toEqual({ server_error: Math.floor(total / 2) });
    expect(by_version).toEqual({ v1: total });
    expect(failed).toBe(Math.floor(total / 2));
  });

  it.each<[Fault, FailureKind]>([
    ['truncate', 'truncated'],
    ['corrupt', 'wrong_body'],
    ['misdirect', 'unexpected_status'],
    ['swallow', 'timed_out'],
    ['close_kept', 'keep_alive_closed'],
  ])('what a connection does wrong: %s', async (fault, kind) => {
    const proxy = await proxyTo(await app());
    // Their answers are single pieces, which the proxy can break in one way only.
    const running = await load(proxy.url, { mix: { keep_alive: 3, post: 1 } });
    await running.until(() => true);
    expect(running.report().failed).toBe(0);

    proxy.fault = fault;
    await counted(running, kind);
    expect((await running.stop()).failures[0]).toMatchObject({ kind });
  });

  it('a WebSocket that is cut, where it must stay open', async () => {
    const proxy = await proxyTo(await app());
    const running = await load(proxy.url);
    await established(running);
    proxy.cutWebSockets();
    await counted(running, 'web_socket_closed');

    const report = await running.stop();
    expect(report.by_kind).toMatchObject({ web_socket_closed: 5 });
    expect(report.web_socket_closes).toMatchObject(Array(5).fill({ code: 1006, allowed: false }));
  });

  it('no WebSocket that is cut where it may be, as long as it comes back', async () => {
    const proxy = await proxyTo(await app());
    const running = await load(proxy.url, { websocket_reconnects: 'allowed' });
    await established(running);
    proxy.cutWebSockets();
    await eventually(() => running.report().web_socket_closes.length === 5);
    // They have just come back, and are cut again: that is no drain.
    await eventually(() => {
      proxy.cutWebSockets();
      return (running.report().by_kind.web_socket_closed ?? 0) > 0;
    });

    const { web_socket_closes } = await running.stop();
    expect(web_socket_closes.slice(0, 5)).toMatchObject(Array(5).fill({ code: 1006, allowed: true }));
    expect(web_socket_closes.slice(5)).toContainEqual(expect.objectContaining({ code: 1006, allowed: false }));
  });

  it('a reconnect that fails', async () => {
    const victim = await app();
    const running = await load(victim.url, { websocket_reconnects: 'allowed' });
    await established(running);
    await victim.stop('SIGKILL');
    await counted(running, 'web_socket_refused');
    expect((await running.stop()).by_kind.web_socket_closed).toBeUndefined();
  });
});
