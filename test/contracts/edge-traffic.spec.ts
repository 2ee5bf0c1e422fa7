/** Shares of a canary, kept connections and changes under load, against real nginx in Swarm. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { RequestSample } from '../../src/domain/edge-ports.js';
import type { Backend, Canary } from '../../src/domain/traffic.js';
import { until } from '../support/docker-fixtures.js';
import { type EdgeFixtures, startEdgeFixtures, told } from '../support/edge-fixtures.js';

jest.setTimeout(180_000);

let edge: EdgeFixtures;
let blue: Backend;
let green: Backend;

beforeAll(async () => {
  edge = await startEdgeFixtures();
  await edge.edge.ensure();
  blue = await edge.app('blue', 2);
  green = await edge.app('green');
});
afterAll(() => edge.clean());

const canary = (weight: number, fields: Partial<Canary> = {}) =>
  edge.state(
    edge.traffic('web', [blue], { canary: { backend: green, weight, stickiness: 'none', match: [], ...fields } }),
  );

/** The versions that answered, over kept connections. */
async function versions(count: number, headers: Record<string, string> = {}): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const seen: Record<string, number> = {};
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const { version } = told(await edge.ask('web.test', '/', { agent, headers }));
      seen[version] = (seen[version] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  agent.destroy();
  return seen;
}

interface WebSocketLike {
  readonly socket: Socket;
  readonly version: string;
  echo(text: string): Promise<string>;
}

function webSocket(host: string): Promise<WebSocketLike> {
  return new Promise((resolve, reject) => {
    const headers = { host, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const asking = request({ host: '127.0.0.1', port: edge.httpPort, headers, agent: false });
    asking.on('error', reject).end();
    asking.on('response', (response) => reject(new Error(`no upgrade: ${response.statusCode ?? 0}`)));
    asking.on('upgrade', (response, socket) =>
      resolve({
        socket,
        version: String(response.headers['x-version']),
        echo: (text) =>
          new Promise((answer, refuse) => {
            socket.once('data', (chunk: Buffer) => answer(chunk.toString()));
            socket.once('error', refuse).once('close', () => refuse(new Error('closed')));
            socket.write(text);
          }),
      }),
    );
  });
}

describe('a canary', () => {
  it.each([0, 5, 10, 25, 50, 100])('of %d percent gets exactly that', async (weight) => {
    await edge.edge.apply(canary(weight));
    const seen = await versions(400);
    expect({ blue: 0, green: 0, ...seen }).toEqual({ blue: 400 - 4 * weight, green: 4 * weight });
  });

  it('keeps its visitors, also when the weight rises', async () => {
    const visitors = new Map<string, string>();
    await edge.edge.apply(canary(25, { stickiness: 'cookie' }));
    for (let visitor = 0; visitor < 200; visitor++) {
      const answer = await edge.ask('web.test');
      const [cookie] = answer.headers['set-cookie'] ?? [];
      expect(cookie).toMatch(/^flukedeploy_visitor=[0-9a-f]{32}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
      visitors.set(cookie!.split(';')[0]!, told(answer).version);
    }
    const early = [...visitors].filter(([, version]) => version === 'green');
    expect(early.length).toBeGreaterThan(20);
    expect(early.length).toBeLessThan(80);
    for (const [cookie, version] of visitors) {
      const answer = await edge.ask('web.test', '/', { headers: { cookie } });
      expect(told(answer).version).toBe(version);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    await edge.edge.apply(canary(60, { stickiness: 'cookie' }));
    for (const [cookie] of early) {
      expect(told(await edge.ask('web.test', '/', { headers: { cookie } })).version).toBe('green');
    }
  });

  it('is met by a header or a cookie before everything else', async () => {
    const evil = `a"b{$};'\\ ü`;
    const match = [
      { header: 'X-Canary', value: 'always' },
      { header: 'X-Evil', value: evil },
      { cookie: 'who-am_i', value: 'me too' },
    ];
    await edge.edge.apply(canary(0, { match }));
    const version = async (headers: Record<string, string>) =>
      told(await edge.ask('web.test', '/', { headers })).version;
    expect(await version({ 'x-canary': 'always' })).toBe('green');
    expect(await version({ 'x-canary': 'Always' })).toBe('blue');
    expect(await version({ 'x-canary': 'always-not' })).toBe('blue');
    expect(await version({ 'x-evil': Buffer.from(evil).toString('latin1') })).toBe('green');
    expect(await version({ cookie: 'a=b; who-am_i=me too; c=d' })).toBe('green');
    expect(await version({ cookie: 'xwho-am_i=me too' })).toBe('blue');
    expect(await version({})).toBe('blue');
    // The header between the hops is nobody else's, and never reaches the app.
    const answer = await edge.ask('web.test', '/', { headers: { 'x-flukedeploy-app': 'other_production' } });
    expect(told(answer).headers).not.toHaveProperty('x-flukedeploy-app');
  });

  it('with nothing behind it answers 503 through both hops', async () => {
    const gone = { ...green, service: `${edge.prefix}-gone` };
    await edge.edge.apply(canary(100, { backend: gone }));
    expect(await edge.ask('web.test')).toMatchObject({ status: 503, body: expect.stringContaining('Nothing serves') });
    await edge.edge.apply(canary(100, { backend: { ...green, port: 3999 } }));
    expect(await edge.ask('web.test')).toMatchObject({ status: 502, body: expect.stringContaining('did not answer') });
  });

  it('of which no replica is left gives its share to the stable version', async () => {
    await edge.edge.apply(canary(50, { backend: { ...green, addresses: [] } }));
    expect(await versions(40)).toEqual({ blue: 40 });
    await edge.edge.apply(canary(50, { backend: { ...green, addresses: await edge.addresses(green) } }));
    expect(await versions(40)).toEqual({ blue: 20, green: 20 });
  });

  it('changes nothing that the app sees of a request', async () => {
    const seen = async () => {
      const answer = await edge.ask('web.test:81', '/a%2Fb?c', {
        method: 'PUT',
        body: 'y'.repeat(200_000),
        headers: { 'x-forwarded-for': '6.6.6.6', 'x-mine': '1' },
      });
      const { 'x-request-id': id, ...headers } = told(answer).headers;
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      return { ...told(answer), headers };
    };
    await edge.edge.apply(canary(50));
    const through = await seen();
    await edge.edge.apply(edge.state(edge.traffic('web', [blue])));
    const straight = await seen();
    expect({ ...through, version: '' }).toEqual({ ...straight, version: '' });
  });
});

describe('observing', () => {
  it('tells every request of the app, and none twice', async () => {
    await edge.edge.apply(canary(20));
    const since = new Date().toISOString();
    const samples: RequestSample[] = [];
    const stop = new AbortController();
    const observing = edge.edge.observe(
      { app_name: 'web', environment: 'production' },
      since,
      (sample) => samples.push(sample),
      stop.signal,
    );
    await versions(300);
    for (let asked = 0; asked < 50; asked++) await edge.ask('web.test', '/status/503');
    await until(async () => samples.length >= 350, 'all samples come');

    const before = await edge.edgeContainerId();
    await edge.docker.getContainer(before).kill({ signal: 'SIGKILL' });
    await until(async () => {
      const now = await edge.edgeContainerId();
      return (
        now !== '' &&
        now !== before &&
        (await edge.edge.apply(canary(20)).then(
          () => true,
          () => false,
        ))
      );
    }, 'the edge is back');
    await versions(50);
    await until(async () => samples.length >= 400, 'samples of the new container come');
    await pause(300);
    stop.abort();
    await observing;

    expect(samples).toHaveLength(400);
    expect(samples.filter(({ status }) => status === 503)).toHaveLength(50);
    expect(samples.filter(({ version }) => version === 'canary')).toHaveLength(80);
    expect(samples.every(({ at, duration_ms }) => at >= since && duration_ms >= 0)).toBe(true);
  });
});

describe('connections', () => {
  it('of WebSockets stay over changes, and are counted', async () => {
    await edge.edge.apply(edge.state(edge.traffic('web', [blue])));
    const open = await webSocket('web.test');
    expect(await open.echo('one')).toBe('one');
    const addresses = await edge.addresses(blue);
    expect(await edge.edge.openConnections(addresses)).toBe(1);

    await edge.edge.apply(canary(100));
    const other = await webSocket('web.test');
    expect([open.version, other.version]).toEqual(['blue', 'green']);
    expect(await open.echo('two')).toBe('two');
    expect(await other.echo('three')).toBe('three');
    expect(await edge.edge.openConnections(addresses)).toBe(1);
    expect(await edge.edge.openConnections(await edge.addresses(green))).toBe(1);

    open.socket.destroy();
    other.socket.destroy();
    await until(async () => (await edge.edge.openConnections(addresses)) === 0, 'none is open');
    expect(await edge.edge.openConnections([])).toBe(0);
  });
});

describe('under load', () => {
  /** Asks at a steady rate over kept connections while something happens; every failure counts, nothing is tried again. */
  async function whileAsking(kept: boolean, work: () => Promise<void>): Promise<{ asked: number; failures: string[] }> {
    const agent = new Agent({ keepAlive: kept, maxSockets: 40 });
    const failures: string[] = [];
    const underWay: Promise<unknown>[] = [];
    let asked = 0;
    const timer = setInterval(() => {
      for (let each = 0; each < 2; each++) {
        asked++;
        const method = asked % 5 === 0 ? 'POST' : 'GET';
        const asking = edge.ask('web.test', '/wait/5', { agent, method, ...(method === 'POST' && { body: 'x' }) }).then(
          ({ status, body }) => status === 200 || failures.push(`${status} ${body.slice(0, 80)}`),
          (error: unknown) => failures.push(String(error)),
        );
        underWay.push(asking);
      }
    }, 10);
    try {
      await work();
      await pause(500);
    } finally {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
    }
    return { asked, failures };
  }

  it.each([
    [30, 'kept', 'names'],
    [9, 'kept', 'addresses'],
    [15, 'fresh', 'names'],
  ])('%d changes of everything lose no request: %s connections, by %s', async (changes, connections, by) => {
    const of = async (backend: Backend) =>
      by === 'names' ? backend : { ...backend, addresses: await edge.addresses(backend) };
    const [one, other] = [await of(blue), await of(green)];
    await edge.edge.apply(edge.state(edge.traffic('web', [one])));
    const { asked, failures } = await whileAsking(connections === 'kept', async () => {
      for (let change = 0; change < changes / 3; change++) {
        for (const state of [
          edge.state(
            edge.traffic('web', [one], {
              canary: { backend: other, weight: 10 + change, stickiness: 'none', match: [] },
            }),
          ),
          edge.state(edge.traffic('web', [other])),
          edge.state(edge.traffic('web', [one])),
        ]) {
          await edge.edge.apply(state);
        }
      }
    });
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(changes * 50);
  });
});
