import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { withBody } from '../../../test/support/with-body.js';
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

/** Writes until nobody reads any more. */
function endless(response: ServerResponse): void {
  const more = () => response.write('x'.repeat(10_000), (error) => error ?? setImmediate(more));
  response.on('error', () => undefined);
  more();
}

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
      endless(response.writeHead(500));
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

describe('fetch', () => {
  const GET = { method: 'GET', headers: {}, timeout_ms: LONG_MS };

  it('sends method, headers and body as they are, and tells the whole answer', async () => {
    const url = await serve(
      withBody((request, body, response) => {
        const { host, accept, 'x-tag': tag, 'content-length': length } = request.headers;
        response.writeHead(201, { 'X-Answer': ['one', 'two'], 'set-cookie': ['a=1', 'b=2'] });
        response.end(JSON.stringify({ method: request.method, path: request.url, host, accept, tag, length, body }));
      }),
    );
    const headers = { Host: 'shop.example.com', Accept: 'text/plain', 'X-Tag': 'one' };
    const answer = await probes.fetch(`${url}?a=b`, { ...GET, method: 'DELETE', headers, body: 'grün' }, never);
    expect(answer).toMatchObject({
      status: 201,
      headers: { 'x-answer': 'one, two', 'set-cookie': 'a=1, b=2' },
      cut: false,
      duration_ms: expect.any(Number),
    });
    expect(JSON.parse(answer.body)).toEqual({
      method: 'DELETE',
      path: '/health?a=b',
      host: 'shop.example.com',
      accept: 'text/plain',
      tag: 'one',
      length: '5',
      body: 'grün',
    });
  });

  it.each([302, 404, 503])('%i is an answer, and no redirect is followed', async (status) => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { location: '/login' }).end('no');
    });
    expect(await probes.fetch(url, GET, never)).toMatchObject({ status, headers: { location: '/login' }, body: 'no' });
    expect(asked).toEqual(['/health']);
  });

  it.each([
    ['a megabyte is told whole', 'x'.repeat(1024 * 1024), 1024 * 1024, false],
    ['one byte more is cut', 'x'.repeat(1024 * 1024 + 1), 1024 * 1024, true],
    ['half a character is left out', `x${'ä'.repeat(1024 * 512)}`, 1024 * 512, true],
  ])('%s', async (_name, sent, length, cut) => {
    const url = await serve((_request, response) => response.end(sent));
    const answer = await probes.fetch(url, GET, never);
    expect(answer).toMatchObject({ cut });
    expect(answer.body).toHaveLength(length);
    expect(sent.startsWith(answer.body)).toBe(true);
  });

  it('leaves an endless body', async () => {
    const url = await serve((_request, response) => {
      endless(response);
    });
    expect(await probes.fetch(url, GET, never)).toMatchObject({ status: 200, cut: true });
    const [socket] = sockets;
    if (socket?.destroyed === false) await once(socket, 'close');
  });

  it('takes the answer of a service that does not listen to the end', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
      }),
    );
    const body = 'x'.repeat(10_000);
    expect(await probes.fetch(`http://127.0.0.1:${port}/`, { ...GET, method: 'POST', body }, never)).toMatchObject({
      status: 413,
    });
  });

  it.each([
    ['a closed port', freePort, /ECONNREFUSED/],
    ['a service that says nothing', silent, /no answer within 300 ms/],
    ['an answer that never ends', () => listen(createServer((_, response) => response.write('a'))), /within 300 ms/],
    [
      'an answer that breaks off',
      () =>
        listen(
          createServer((_, response) => {
            response.writeHead(200, { 'content-length': 5 });
            response.write('a', () => response.destroy());
          }),
        ),
      /broke off/,
    ],
    ['what is not HTTP', () => listen(createTcpServer((socket) => socket.end('no'))), /Parse Error/],
  ])('%s is an error with the reason', async (_name, port, reason) => {
    const url = `http://127.0.0.1:${await port()}/`;
    await expect(probes.fetch(url, { ...GET, timeout_ms: 300 }, never)).rejects.toMatchObject({
      code: 'service_unreachable',
      message: expect.stringMatching(reason),
    });
  });

  it.each([
    ['a value of two lines', 'GET', { 'x-tag': 'secret\r\nx-other: 1' }, /"x-tag"/],
    ['a name of two lines', 'GET', { 'x\ny': 'secret' }, /"x\\ny"/],
    ['no name', 'GET', { '': 'secret' }, /""/],
    ['a header of the connection', 'GET', { 'Transfer-Encoding': 'chunked' }, /Transfer-Encoding/],
    ['the length of the body', 'POST', { 'content-length': '3' }, /content-length/],
    ['an upgrade', 'GET', { upgrade: 'websocket' }, /upgrade/],
    ['a tunnel', 'CONNECT', {}, /"CONNECT"/],
    ['a method of two lines', 'GET / HTTP/1.1\r\n', {}, /No request has the method/],
  ])('refuses %s before anything is sent', async (_name, method, headers, message) => {
    const port = await silent();
    const error = await probes.fetch(`http://127.0.0.1:${port}/`, { ...GET, method, headers }, never).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({ code: 'invalid_field', message: expect.stringMatching(message) });
    expect(error?.message).not.toContain('secret');
    expect(sockets.size).toBe(0);
  });

  it('rejects with the reason when it is stopped', async () => {
    const reason = new Error('cancelled by a person');
    const controller = new AbortController();
    const url = await serve((_request, response) => void response.write('a', () => controller.abort(reason)));
    await expect(probes.fetch(url, GET, controller.signal)).rejects.toBe(reason);
    await expect(probes.fetch(url, GET, controller.signal)).rejects.toBe(reason);
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
