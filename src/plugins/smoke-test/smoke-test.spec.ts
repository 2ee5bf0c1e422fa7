import { afterEach, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { startReplicas, type Replicas } from '../../../test/support/replicas.js';
import { withBody } from '../../../test/support/with-body.js';
import type { JsonObject } from '../../plugin/index.js';
import { runHook } from '../../plugin/testing.js';
import { smokeTest } from './index.js';

let replicas: Replicas;
afterEach(() => replicas.clean());

const start = async (...listeners: RequestListener[]) => (replicas = await startReplicas(...listeners));
const healthy: RequestListener = (_request, response) => response.end('{"status":"up"}');
const run = async (options: JsonObject) => runHook(smokeTest, 'post_deploy', { ...(await replicas.seen()), options });
const quick = { interval_ms: 10 };

it('is content where every answer is as expected', async () => {
  const asked: string[] = [];
  await start(
    withBody(({ method, url, headers }, body, response) => {
      asked.push([method, url, headers['x-tag'], body].join(' '));
      response.writeHead(method === 'POST' ? 201 : 200).end('{"status":"up"}');
    }),
  );
  const requests = [
    { path: '/health', expect: { json: { status: 'up' } } },
    { name: 'order', method: 'POST', path: '/orders', headers: { 'x-tag': 'a' }, body: 'b', expect: { status: 201 } },
  ];
  const { outcome, findings, probes } = await run({ requests });
  expect(outcome).toBe('passed');
  expect(findings).toEqual([]);
  expect(probes).toEqual([
    { target: 'GET /health', healthy: true, httpStatus: 200, durationMs: expect.any(Number) },
    { target: 'order', healthy: true, httpStatus: 201, durationMs: expect.any(Number) },
  ]);
  expect(asked).toEqual(['GET /health  ', 'POST /orders a b']);
});

it('says what was expected and what came, and goes on', async () => {
  await start((_request, response) => response.writeHead(503).end('database\nis gone'));
  const requests = [
    { path: '/a', ...quick, attempts: 2 },
    { name: 'second', path: '/b', attempts: 1 },
  ];
  const { findings, probes } = await run({ requests });
  const reason = 'the status is 503, expected 2xx; the body begins with "database is gone"';
  expect(findings).toEqual([
    expect.objectContaining({
      severity: 'error',
      code: 'smoke_test_failed',
      place: 'GET /a',
      message: `GET /a is not as expected: ${reason}.`,
      hint: expect.any(String),
    }),
    expect.objectContaining({ place: 'second' }),
  ]);
  expect(probes.map(({ target }) => target)).toEqual(['GET /a', 'GET /a', 'second']);
  expect(probes[0]).toEqual({
    target: 'GET /a',
    healthy: false,
    httpStatus: 503,
    durationMs: expect.any(Number),
    reason,
  });
});

it('is content as soon as one attempt is as expected', async () => {
  let asked = 0;
  await start((_request, response) => response.writeHead((asked += 1) < 3 ? 500 : 200).end());
  const { findings, probes } = await run({ requests: [{ path: '/', ...quick }] });
  expect(findings).toEqual([]);
  expect(probes.map(({ healthy }) => healthy)).toEqual([false, false, true]);
});

it.each([
  ['one replica where nothing else is said', false, 0],
  ['every replica where it is told to', true, 1],
])('asks %s', async (_name, every_replica, failures) => {
  await start(healthy, (_request, response) => response.writeHead(500).end());
  const requests = [{ path: '/', attempts: 1 }];
  const { findings } = await run({ requests, every_replica });
  expect(findings).toHaveLength(failures);
  if (every_replica) expect(findings[0]?.message).toMatch(/^GET \/ of replica 2 is not/);
});

it('takes no answer as a result', async () => {
  await start(() => undefined);
  const requests = [{ path: '/', attempts: 1, timeout_ms: 200 }];
  const { findings, probes } = await run({ requests });
  expect(findings).toHaveLength(1);
  expect(probes).toEqual([{ target: 'GET /', healthy: false, reason: expect.stringContaining('within 200 ms') }]);
});

it('knows a late answer', async () => {
  await start((_request, response) => void setTimeout(() => response.end(), 300));
  const late = { path: '/', attempts: 1, expect: { latency_ms: 100 } };
  const requests = [late, { ...late, name: 'patient', expect: { latency_ms: 20_000 } }];
  const { findings } = await run({ requests });
  expect(findings.map(({ place }) => place)).toEqual(['GET /']);
});

it('does not wait for the next attempt once it is stopped', async () => {
  await start((_request, response) => response.writeHead(500).end());
  const options = { requests: [{ path: '/', interval_ms: 60_000 }] };
  const seen = await replicas.seenOnce();
  const { failure, leftBehind } = await runHook(smokeTest, 'post_deploy', { ...seen, options });
  expect(failure?.code).toBe('cancelled');
  expect(leftBehind).toBe(false);
});

it('lets an error through that is its own', async () => {
  await start(healthy);
  const requests = [{ path: '/', headers: { 'content-length': '7' } }];
  expect((await run({ requests })).failure?.code).toBe('invalid_field');
});
