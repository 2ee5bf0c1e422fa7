/** The edge against real nginx in Swarm: what it serves, what it refuses, and that changing it loses nothing. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { secretAddress } from '../../src/adapters/nginx/edge-tunnel-secret.js';
import { TUNNEL_PORT } from '../../src/adapters/nginx/edge-paths.js';
import type { Backend } from '../../src/domain/traffic.js';
import { until } from '../support/docker-fixtures.js';
import { type EdgeFixtures, startEdgeFixtures, told } from '../support/edge-fixtures.js';

jest.setTimeout(120_000);

let edge: EdgeFixtures;
let blue: Backend;
let green: Backend;
const never = new AbortController().signal;

beforeAll(async () => {
  edge = await startEdgeFixtures();
  await Promise.all([edge.edge.ensure(), edge.another().ensure()]);
  blue = await edge.app('blue', 2);
  green = await edge.app('green');
});
afterAll(() => edge.clean());

const web = (stable: readonly Backend[] = [blue]) => edge.state(edge.traffic('web', stable));

describe('serving', () => {
  it('passes requests on, and tells the app where they came from', async () => {
    expect(await edge.edge.apply(web())).toBe('applied');
    const answer = await edge.ask('web.test:8080', '/a%20b?c=d', {
      method: 'POST',
      body: 'x'.repeat(100_000),
      headers: { 'x-forwarded-for': '6.6.6.6', 'x-real-ip': '6.6.6.6', forwarded: 'for=6.6.6.6', proxy: 'evil' },
    });
    const { headers, ...request } = told(answer);
    expect(request).toEqual({ version: 'blue', method: 'POST', url: '/a%20b?c=d', bytes: 100_000 });
    expect(headers).toMatchObject({
      host: 'web.test:8080',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'web.test:8080',
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['x-forwarded-for']).toBe(headers['x-real-ip']);
    expect(JSON.stringify(headers)).not.toMatch(/6\.6\.6\.6|evil/);
  });

  it('is unchanged by the same state, in any order', async () => {
    const [one, two] = [edge.traffic('one', [blue]), edge.traffic('two', [green])];
    await edge.edge.apply(edge.state(one, two));
    expect(await edge.another().apply(edge.state(two, one))).toBe('unchanged');
  });

  it('knows no other host, and says so where nothing serves', async () => {
    const gone = { ...blue, service: `${edge.prefix}-gone` };
    await edge.edge.apply(
      edge.state(
        edge.traffic('web', [blue]),
        edge.traffic('none', []),
        edge.traffic('empty', [{ ...blue, addresses: [] }]),
        edge.traffic('gone', [gone]),
        edge.traffic('refused', [{ ...blue, port: 3999 }]),
      ),
    );
    expect(await edge.ask('unknown.test')).toMatchObject({ status: 404, body: expect.stringContaining('No app') });
    for (const name of ['none', 'empty', 'gone']) {
      expect(await edge.ask(`${name}.test`)).toMatchObject({
        status: 503,
        body: expect.stringContaining('Nothing serves'),
      });
    }
    expect((await edge.ask('refused.test')).status).toBe(502);
    expect((await edge.ask('web.test', '/status/502')).body).toContain('"version":"blue"');
    expect((await edge.ask('web.test')).status).toBe(200);
  });

  it('answers challenges under every name, and nothing else there', async () => {
    const challenge = { token: 'tok-en_1', key_authorization: 'tok-en_1.thumb-print_2' };
    await edge.edge.apply({ ...web(), challenges: [challenge] });
    for (const host of ['web.test', 'unknown.test']) {
      const path = '/.well-known/acme-challenge/';
      expect(await edge.ask(host, `${path}tok-en_1`)).toMatchObject({ status: 200, body: challenge.key_authorization });
      expect((await edge.ask(host, `${path}other`)).status).toBe(404);
      expect((await edge.ask(host, `${path}Tok-en_1`)).status).toBe(404);
    }
  });

  it('shows a version under its preview host, and the captain under its own', async () => {
    const [address] = await edge.addresses(green);
    await edge.edge.apply({
      ...edge.state(edge.traffic('web', [blue], { preview: { host: 'next.web.test', backend: green } })),
      captain: { host: 'captain.test', upstream: `${address!}:3000` },
    });
    expect(told(await edge.ask('next.web.test')).version).toBe('green');
    expect(told(await edge.ask('captain.test')).version).toBe('green');
    expect(told(await edge.ask('web.test')).version).toBe('blue');
  });

  it('spreads requests over all replicas, or the given addresses only', async () => {
    const [first] = await edge.addresses(blue);
    await edge.edge.apply(web([{ ...blue, addresses: [first!] }]));
    expect(told(await edge.ask('web.test')).version).toBe('blue');
  });
});

describe('changing', () => {
  it('refuses what nginx does not take, and serves on', async () => {
    await edge.edge.apply(web());
    const broken = { hosts: ['web.test'], certificate: 'no certificate', private_key: 'very private key' };
    const refused = edge.edge.apply({ ...web([green]), certificates: [broken] });
    await expect(refused).rejects.toMatchObject({
      code: 'edge_rejected',
      message: expect.stringContaining('PEM'),
      evidence: expect.arrayContaining([expect.stringContaining('[emerg]')]),
    });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('very private') });
    expect(told(await edge.ask('web.test')).version).toBe('blue');
    expect(await edge.edge.apply(web())).toBe('unchanged');
  });

  it('reverts to the one before', async () => {
    await edge.edge.apply(web([blue]));
    await edge.edge.apply(web([green]));
    expect(await edge.edge.revert()).toBe(true);
    expect(told(await edge.ask('web.test')).version).toBe('blue');
    expect(await edge.edge.apply(web([blue]))).toBe('unchanged');
  });

  it('has an answer for every request from the moment it sends them to another version', async () => {
    const answers: Record<number, number> = {};
    let over = false;
    const asking = Array.from({ length: 4 }, async () => {
      while (!over) {
        const { status } = await edge.ask('web.test');
        answers[status] = (answers[status] ?? 0) + 1;
      }
    });
    for (let times = 0; times < 6; times++) await edge.edge.apply(web([times % 2 === 0 ? green : blue]));
    over = true;
    await Promise.all(asking);
    expect(Object.keys(answers)).toEqual(['200']);
  });

  it('serves again after a restart of its container, with nobody telling it', async () => {
    await edge.edge.apply(web([green]));
    const before = await edge.edgeContainerId();
    await edge.docker.getContainer(before).kill({ signal: 'SIGKILL' });
    await until(async () => {
      const now = await edge.edgeContainerId();
      return (
        now !== '' &&
        now !== before &&
        (await edge.ask('web.test').then(
          ({ status }) => status === 200,
          () => false,
        ))
      );
    }, 'the edge serves again');
    expect(told(await edge.ask('web.test')).version).toBe('green');
    expect(await edge.edge.apply(web([green]))).toBe('unchanged');
    await edge.edge.ensure();
  });
});

describe('being there', () => {
  it('is told as unavailable where it is not', async () => {
    const away = edge.another({ service: `${edge.prefix}-away` });
    const unavailable = { code: 'edge_unavailable' };
    await expect(away.apply(web())).rejects.toMatchObject(unavailable);
    await expect(away.revert()).rejects.toMatchObject(unavailable);
    await expect(away.openConnections(['10.0.0.1'])).rejects.toMatchObject(unavailable);
    // That says nothing of the service that is asked.
    await expect(away.probes.tcp('10.0.0.1', 80, 2_000, never)).rejects.toMatchObject(unavailable);
    const asked = { method: 'GET', headers: {}, timeout_ms: 2_000 };
    await expect(away.probes.fetch('http://10.0.0.1/', asked, never)).rejects.toMatchObject(unavailable);
  });

  it('takes no service and no network that is not its own', async () => {
    await expect(edge.another({ service: blue.service }).ensure()).rejects.toMatchObject({ code: 'name_taken' });
    await expect(edge.another({ network: 'bridge' }).ensure()).rejects.toMatchObject({ code: 'name_taken' });
  });

  it('begins again with an empty volume', async () => {
    const before = await edge.edgeContainerId();
    const exec = await edge.docker
      .getContainer(before)
      .exec({ Cmd: ['rm', '-rf', '/etc/nginx/flukedeploy/live.conf', '/etc/nginx/flukedeploy/certificates'] });
    await exec.start({ Detach: true });
    await until(async () => !(await exec.inspect()).Running, 'the volume is empty');
    await edge.docker.getContainer(before).kill({ signal: 'SIGKILL' });
    await until(async () => (await edge.edgeContainerId()) !== before, 'the container ends');
    await edge.edge.ensure();
    expect((await edge.ask('web.test')).status).toBe(404);
    expect(await edge.edge.apply(web())).toBe('applied');
    expect(await edge.edge.revert()).toBe(false);
    expect((await edge.ask('web.test')).status).toBe(200);
  });

  it('is nothing at all where its port is 0', async () => {
    const none = edge.another({ httpPort: 0 });
    expect(none.enabled).toBe(false);
    await none.ensure();
    expect(await none.apply(web())).toBe('unchanged');
    expect(await none.revert()).toBe(false);
    expect(await none.openConnections(['10.0.0.1'])).toBe(0);
    const stop = new AbortController();
    const observing = none.observe({ app_name: 'web', environment: 'production' }, '', () => undefined, stop.signal);
    stop.abort();
    await observing;
  });
});

describe('probes', () => {
  it('come from where the edge stands', async () => {
    const [address] = await edge.addresses(blue);
    const url = `http://${address!}:3000`;
    const { probes } = edge.edge;
    expect(await probes.http(`${url}/`, 4_000, never)).toMatchObject({ healthy: true, http_status: 200 });
    expect(await probes.http(`${url}/status/302`, 4_000, never)).toMatchObject({ healthy: true, http_status: 302 });
    expect(await probes.http(`${url}/status/503`, 4_000, never)).toMatchObject({
      healthy: false,
      http_status: 503,
      reason: expect.stringMatching(/^HTTP 503: .*blue/),
    });
    expect(await probes.http(`${url}/hang`, 500, never)).toMatchObject({
      healthy: false,
      reason: 'no answer within 500 ms',
    });
    expect(await probes.http(`http://${address!}:3999/`, 4_000, never)).toMatchObject({ healthy: false });
    expect(await probes.tcp(address!, 3000, 4_000, never)).toMatchObject({ healthy: true });
    expect(await probes.tcp(address!, 3999, 4_000, never)).toMatchObject({
      healthy: false,
      reason: expect.stringContaining('could not connect'),
    });
    // An address of the network that nobody has is silent.
    const nobody = address!.replace(/\d+$/, '250');
    expect(await probes.tcp(nobody, 3000, 4_000, never)).toMatchObject({ healthy: false });
    expect(await probes.tcp('web.test', 3000, 4_000, never)).toMatchObject({ healthy: false });
    const reason = new Error('stopped');
    await expect(probes.tcp(address!, 3000, 4_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('ask whatever is wanted, and tell the whole answer', async () => {
    const [address] = await edge.addresses(blue);
    const url = `http://${address!}:3000`;
    const { probes } = edge.edge;
    const asked = { method: 'GET', headers: {}, timeout_ms: 4_000 };
    const headers = { host: 'shop.test', 'x-tag': 'one' };
    const answer = await probes.fetch(
      `${url}/a%20b?c=d`,
      { ...asked, method: 'POST', headers, body: 'x'.repeat(100_000) },
      never,
    );
    expect(answer).toMatchObject({ status: 200, cut: false });
    expect(told(answer)).toMatchObject({ version: 'blue', method: 'POST', url: '/a%20b?c=d', headers, bytes: 100_000 });
    expect(await probes.fetch(`${url}/status/302`, asked, never)).toMatchObject({
      status: 302,
      headers: { location: '/elsewhere' },
    });
    const unreachable = { code: 'service_unreachable' };
    await expect(probes.fetch(`${url}/hang`, { ...asked, timeout_ms: 500 }, never)).rejects.toMatchObject({
      ...unreachable,
      message: 'The service does not answer: no answer within 500 ms',
    });
    await expect(probes.fetch(`http://${address!}:3999/`, asked, never)).rejects.toMatchObject(unreachable);
    await expect(probes.fetch('http://web.test/', asked, never)).rejects.toMatchObject(unreachable);
    const reason = new Error('stopped');
    await expect(probes.fetch(url, asked, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('are nobody else’s: without the secret the tunnel leads nowhere', async () => {
    const [address] = await edge.addresses(blue);
    const stranger = edge.another({ tunnelSecret: 'guessed' }).probes;
    expect(await stranger.http(`http://${address!}:3000/`, 4_000, never)).toMatchObject({ healthy: false });
    expect(await stranger.tcp(address!, 3000, 4_000, never)).toMatchObject({ healthy: false });
    expect(secretAddress('one')).not.toBe(secretAddress('other'));

    // A task beside the edge, with whatever header it likes.
    for (const header of [
      '',
      'PROXY UNKNOWN\r\n',
      `PROXY TCP4 127.0.0.1 ${address!} 1 3000\r\n`,
      randomBytes(64).toString(),
    ]) {
      expect(await throughTunnel(`${header}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).not.toContain(
        'blue',
      );
    }
  });
});

/** What the tunnel gives back to these bytes. */
async function throughTunnel(bytes: string): Promise<string> {
  const container = await edge.docker.getContainer(await edge.edgeContainerId()).inspect();
  const host = Object.values(container.NetworkSettings.Networks)[0]!.IPAddress;
  const bridge = await edge.docker.getNetwork('docker_gwbridge').inspect();
  const address = (bridge as { Containers: Record<string, { IPv4Address: string }> }).Containers[container.Id]
    ?.IPv4Address;
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(TUNNEL_PORT, address?.split('/')[0] ?? host);
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => resolve(text));
    socket.setTimeout(3_000, () => socket.destroy());
    socket.write(bytes);
  });
}
