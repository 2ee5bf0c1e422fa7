import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OrderRefused } from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';
import { AcmeCertificateAuthority } from './acme-certificate-authority.js';
import { readRetryAfter } from './acme-problem.js';

/** An authority that refuses, as pebble never does. */
let server: Server;
let directory: string;
let answer: (response: ServerResponse, path: string) => void;
let requests: string[];
beforeEach(async () => {
  requests = [];
  server = createServer((incoming, response) => {
    const path = incoming.url ?? '';
    requests.push(path);
    response.setHeader('replay-nonce', 'a-nonce');
    if (path === '/dir') json(response, 200, Object.fromEntries(RESOURCES.map((name) => [name, `${base()}/${name}`])));
    else if (path === '/newNonce') response.end();
    else if (path === '/newAccount') {
      response.setHeader('location', `${base()}/account/1`);
      json(response, 201, { status: 'valid' });
    } else answer(response, path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  directory = `${base()}/dir`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const RESOURCES = ['newNonce', 'newAccount', 'newOrder', 'revokeCert'];
const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}

function problem(type: string, detail: string, more: object = {}): object {
  return { type: `urn:ietf:params:acme:error:${type}`, detail, ...more };
}

async function order(...hosts: string[]): Promise<DeployError> {
  const authority = new AcmeCertificateAuthority({ directory });
  const board = { publish: () => Promise.resolve(), withdraw: () => Promise.resolve() };
  try {
    await authority.issue(await authority.newAccountKey(), { hosts }, board, new AbortController().signal);
  } catch (error) {
    if (error instanceof DeployError) return error;
    throw error;
  }
  throw new Error('the order was not refused');
}

describe('an authority that refuses', () => {
  it('is asked once, and says how long to wait', async () => {
    const words = 'too many certificates already issued for "example.com"';
    answer = (response) => json(response, 429, problem('rateLimited', words), { 'retry-after': '7200' });
    const error = await order('a.example');
    expect([error.code, error.message, error.retryAfterSeconds]).toEqual([
      'acme_rate_limited',
      `${words} (rateLimited)`,
      7_200,
    ]);
    expect(error.evidence).toEqual([`${base()}/newOrder answered 429`]);
    expect(requests.filter((path) => path === '/newOrder')).toHaveLength(1);
  });

  it('names each host that is to blame', async () => {
    const subproblems = [
      problem('rejectedIdentifier', 'forbidden by policy', { identifier: { type: 'dns', value: 'b.example' } }),
      problem('caa', 'CAA forbids', { identifier: { type: 'dns', value: 'c.example' } }),
    ];
    answer = (response) => json(response, 400, problem('malformed', 'some names', { subproblems }));
    const error = await order('a.example', 'b.example', 'c.example');
    expect(error).toBeInstanceOf(OrderRefused);
    expect((error as OrderRefused).refusals).toEqual([
      { host: 'b.example', message: 'forbidden by policy (rejectedIdentifier)' },
      { host: 'c.example', message: 'CAA forbids (caa)' },
    ]);
    expect(error.evidence).toHaveLength(2);
  });

  it('names the host that it only quotes', async () => {
    const words = 'too many failed authorizations (5) for "b.example" in the last 1h0m0s';
    answer = (response) => json(response, 429, problem('rateLimited', words), { 'retry-after': '60' });
    const error = await order('a.example', 'b.example', 'sub.b.example');
    expect([error.code, error.retryAfterSeconds]).toEqual(['acme_rate_limited', 60]);
    expect((error as OrderRefused).refusals).toEqual([{ host: 'b.example', message: `${words} (rateLimited)` }]);
  });

  it('is given up after some bad nonces, and says so', async () => {
    answer = (response) => json(response, 400, problem('badNonce', 'JWS has an invalid anti-replay nonce'));
    const error = await order('a.example');
    expect([error.code, error.message]).toEqual(['acme_failed', 'JWS has an invalid anti-replay nonce (badNonce)']);
    expect(requests.filter((path) => path === '/newOrder').length).toBeLessThanOrEqual(6);
  });

  it.each([
    [503, 'the service is down', '120', 'acme_unreachable', 120],
    [500, '<html>oops</html>', undefined, 'acme_unreachable', undefined],
    [302, '', undefined, 'acme_failed', undefined],
    [403, '{"not": "a problem"}', undefined, 'acme_failed', undefined],
  ])('tells %i with the body %j', async (status, body, retryAfter, code, seconds) => {
    answer = (response) => {
      response
        .writeHead(status, { ...(retryAfter && { 'retry-after': retryAfter }), location: 'http://x.example/' })
        .end(body);
    };
    const error = await order('a.example');
    expect([error.code, error.retryAfterSeconds]).toEqual([code, seconds]);
    expect(error.message).toContain(String(status));
    expect(requests.filter((path) => path === '/newOrder')).toHaveLength(1);
  });

  it('cannot forge lines of a log', async () => {
    answer = (response) => json(response, 403, problem('unauthorized', 'one\r\ntwo\u001b[2J three'));
    expect((await order('a.example')).message).toBe('one two [2J three (unauthorized)');
  });

  it('is not listened to without end', async () => {
    answer = (response) => response.writeHead(201).end('x'.repeat(2_000_000));
    const error = await order('a.example');
    expect([error.code, error.message]).toEqual(['acme_unreachable', expect.stringContaining('too large')]);
  });

  it('that makes no sense is told as that', async () => {
    answer = (response) => json(response, 201, {});
    const error = await order('a.example');
    expect([error.code, error.message]).toEqual(['acme_failed', expect.stringContaining('cannot be understood')]);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [undefined, undefined],
    ['soon', undefined],
    ['60', 60],
    ['Thu, 01 Jan 2026 00:05:00 GMT', 300],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['99999999', 604_800],
  ])('%j is %j seconds', (header, seconds) => {
    expect(readRetryAfter(header, now)).toBe(seconds);
  });
});
