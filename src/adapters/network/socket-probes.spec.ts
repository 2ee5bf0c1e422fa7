import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { SocketProbes } from './socket-probes.js';

const probes = new SocketProbes();
const never = new AbortController().signal;
const LONG_MS = 8_000;
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
  sockets.forEach((socket) => socket.destroy());
  sockets.clear();
});

async function listen(server: Server): Promise<number> {
  servers.push(server.on('connection', (socket: Socket) => sockets.add(socket)).listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serve = async (listener: RequestListener) => `http://127.0.0.1:${await listen(createServer(listener))}/health`;
const silent = () => listen(createTcpServer((socket) => socket.resume().on('error', () => undefined)));

/** A port where nothing listens any more. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

describe('http', () => {
  it.each([200, 204, 301, 399])('%i is healthy', async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    expect(await probes.http(url, LONG_MS, never)).toEqual({
      healthy: true,
      http_status: status,
      duration_ms: expect.any(Number),
    });
  });

  it.each([400, 404, 500, 503])('%i is not, and says what the body begins with', async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end('database\n\u001b[31mgone'));
    expect(await probes.http(url, LONG_MS, never)).toMatchObject({
      healthy: false,
      http_status: status,
      reason: `HTTP ${status}: database [31mgone`,
    });
  });

  it('asks with GET for the path, and follows no redirect', async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(302, { location: '/login' }).end();
    });
    expect(await probes.http(url, LONG_MS, never)).toMatchObject({ healthy: true, http_status: 302 });
    expect(asked).toEqual(['GET /health']);
  });

  it('reads a kilobyte of an endless body, and leaves', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(500);
      const more = () => response.writable && response.write('x'.repeat(10_000), () => setImmediate(more));
      more();
    });
    expect(await probes.http(url, LONG_MS, never)).toMatchObject({ reason: `HTTP 500: ${'x'.repeat(1024)}` });
    const [socket] = sockets;
    if (socket?.destroyed === false) await once(socket, 'close');
  });

  it('keeps the status where the body never ends', async () => {
    const url = await serve((_request, response) => void response.writeHead(500).write('so far'));
    expect(await probes.http(url, 300, never)).toMatchObject({ http_status: 500, reason: 'HTTP 500: so far' });
  });

  it('gives up a service that accepts and says nothing', async () => {
    const url = `http://127.0.0.1:${await silent()}/`;
    expect(await probes.http(url, 200, never)).toMatchObject({ healthy: false, reason: 'no answer within 200 ms' });
  });

  it.each([
    ['a closed port', async () => `http://127.0.0.1:${await freePort()}/`, /ECONNREFUSED/],
    ['a name nobody knows', async () => 'http://does-not-exist.invalid/', /does-not-exist/],
    ['what is not a URL', async () => 'nonsense', /Invalid URL/],
    [
      'what is not HTTP',
      async () => `http://127.0.0.1:${await listen(createTcpServer((s) => s.end('no')))}/`,
      /Parse Error/,
    ],
  ])('%s is a result', async (_name, url, reason) => {
    const result = await probes.http(await url(), LONG_MS, never);
    expect(result).toEqual({ healthy: false, duration_ms: expect.any(Number), reason: expect.stringMatching(reason) });
  });
});

describe('tcp', () => {
  it('is healthy where a connection is accepted, and closes it', async () => {
    const port = await silent();
    expect(await probes.tcp('127.0.0.1', port, LONG_MS, never)).toMatchObject({ healthy: true });
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  });

  it.each([
    ['127.0.0.1', freePort],
    ['localhost', freePort],
  ])('says why not: %s', async (host, port) => {
    expect(await probes.tcp(host, await port(), LONG_MS, never)).toMatchObject({
      healthy: false,
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('being stopped', () => {
  const reason = new Error('cancelled by a person');

  it('rejects with the reason', async () => {
    const server = createTcpServer((socket) => socket.resume().on('error', () => undefined));
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const controller = new AbortController();
    const probing = expect(probes.http(url, LONG_MS, controller.signal)).rejects.toBe(reason);
    await once(server, 'connection');
    controller.abort(reason);
    await probing;
  });

  it('rejects while the body is read', async () => {
    const controller = new AbortController();
    const url = await serve((_request, response) => {
      response.writeHead(500).write('so far', () => controller.abort(reason));
    });
    await expect(probes.http(url, LONG_MS, controller.signal)).rejects.toBe(reason);
  });

  it('does not begin when it was stopped before', async () => {
    const port = await silent();
    await expect(probes.tcp('127.0.0.1', port, LONG_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(probes.http(`http://127.0.0.1:${port}/`, LONG_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(sockets.size).toBe(0);
  });
});
