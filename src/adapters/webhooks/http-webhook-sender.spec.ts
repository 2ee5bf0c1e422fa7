import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpWebhookSender } from './http-webhook-sender.js';

const ANSWERED = { kind: 'answered', status: 200 };
const BODY = '{"type":"deployment.succeeded"}';

let server: Server;
let url: string;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
let requests: {
  method?: string | undefined;
  path?: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}[];
/** Not before the test is over. */
let never: AbortSignal;
beforeEach(async () => {
  requests = [];
  never = new AbortController().signal;
  answer = (response) => void response.end();
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url: path, headers } = request;
      requests.push({ method, path, headers, body });
      answer(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://localhost:${(server.address() as AddressInfo).port}/hook?channel=1`;
});
afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

const send = (to = url, { allowedHosts = ['localhost'], timeoutMs = 10_000, signal = never } = {}) =>
  new HttpWebhookSender({ allowedHosts, timeoutMs }).send(
    { url: to, headers: { 'content-type': 'application/json', 'x-team': 'web' }, body: BODY },
    signal,
  );

describe('a webhook', () => {
  it('is posted as it is', async () => {
    expect(await send()).toEqual(ANSWERED);
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/hook?channel=1',
        headers: { 'content-type': 'application/json', 'x-team': 'web', 'content-length': String(BODY.length) },
        body: BODY,
      },
    ]);
  });

  it('tells the status, whatever it is', async () => {
    const statuses = [500, 200];
    answer = (response) => void response.writeHead(statuses.shift() ?? 418).end('words that nobody reads');
    expect(await send()).toEqual({ kind: 'answered', status: 500 });
    expect(await send()).toEqual(ANSWERED);
  });

  it('follows no redirect', async () => {
    answer = (response) => void response.writeHead(302, { location: `${url}&elsewhere` }).end();
    expect(await send()).toEqual({ kind: 'answered', status: 302 });
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['90', 90_000],
    ['0.5', 500],
    ['Mon, 01 Jan 2001 00:00:00 GMT', 0],
  ])('understands Retry-After: %s', async (header, retry_after_ms) => {
    answer = (response) => void response.writeHead(429, { 'retry-after': header }).end();
    expect(await send()).toEqual({ kind: 'answered', status: 429, retry_after_ms });
  });

  it('does not understand any Retry-After', async () => {
    answer = (response) => void response.writeHead(429, { 'retry-after': 'soon' }).end();
    expect(await send()).toEqual({ kind: 'answered', status: 429 });
  });

  it('reads 64 kB of an answer, and hangs up on the rest of it', async () => {
    const hungUp = Promise.withResolvers<unknown>();
    answer = (response) => {
      response.on('close', () => hungUp.resolve(undefined));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      };
      response.on('drain', more).writeHead(200);
      more();
    };
    expect(await send()).toEqual(ANSWERED);
    await hungUp.promise;
  });

  it('is delivered when the answer is cut off after its status', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setImmediate(() => response.destroy());
    };
    expect(await send()).toEqual(ANSWERED);
  });

  it('is not delivered when the connection is cut, and the reason tells no address', async () => {
    answer = (response) => response.destroy();
    expect(await send()).toEqual({ kind: 'unanswered', reason: 'There was no answer: ECONNRESET.' });
    server.close();
    expect(await send('http://localhost:1/secret', { allowedHosts: ['localhost:1'] })).toEqual({
      kind: 'unanswered',
      reason: 'There was no answer: ECONNREFUSED.',
    });
  });

  it('waits until the deadline and no longer', async () => {
    answer = () => undefined;
    expect(await send(url, { timeoutMs: 200 })).toEqual({
      kind: 'unanswered',
      reason: 'There was no answer within 0.2 seconds.',
    });
  });

  it('is broken off by the signal, with its reason', async () => {
    const stop = new AbortController();
    const reason = new Error('over');
    answer = () => stop.abort(reason);
    await expect(send(url, { signal: stop.signal })).rejects.toBe(reason);
    await expect(send(url, { signal: stop.signal })).rejects.toBe(reason);
  });
});

describe('an address', () => {
  const private_ = {
    kind: 'refused',
    reason: 'The host is not on the public internet, and NOTIFY_ALLOWED_HOSTS does not list it.',
  };

  it.each([
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'https://2130706433/',
  ])('that is private is refused: %s', async (to) => {
    expect(await send(to, { allowedHosts: [] })).toEqual(private_);
  });

  it('is refused before anything is sent', async () => {
    expect(await send(url.replace('http:', 'https:'), { allowedHosts: ['localhost:1'] })).toEqual(private_);
    expect(requests).toEqual([]);
  });

  it('without TLS must be listed', async () => {
    expect(await send('http://8.8.8.8/', { allowedHosts: [] })).toEqual({
      kind: 'refused',
      reason: 'Without TLS only hosts are told that NOTIFY_ALLOWED_HOSTS lists.',
    });
  });

  it.each(['ftp://localhost/', 'file:///etc/passwd', 'nonsense'])('is one of http: not %s', async (to) => {
    expect(await send(to)).toEqual({ kind: 'refused', reason: 'The URL is not one of http.' });
  });

  it('that nobody knows may be known later', async () => {
    expect(await send('https://does-not-exist.invalid/')).toEqual({
      kind: 'unanswered',
      reason: 'The host is not known to the name server.',
    });
  });
});
