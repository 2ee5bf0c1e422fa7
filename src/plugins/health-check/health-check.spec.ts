import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { startReplicas, type Replicas } from '../../../test/support/replicas.js';
import type { JsonObject } from '../../plugin/index.js';
import { runHook } from '../../plugin/testing.js';
import { healthCheck } from './index.js';
import { after, UNKNOWN } from './standing.js';

let replicas: Replicas;
beforeEach(async () => {
  replicas = await startReplicas();
});
afterEach(() => replicas.clean());

const start = async (...listeners: RequestListener[]) => (replicas = await startReplicas(...listeners));
const healthy: RequestListener = (_request, response) => response.end('up');
const failing: RequestListener = (_request, response) => response.writeHead(500).end('down');
const run = async (options: JsonObject) => runHook(healthCheck, 'post_deploy', { ...(await replicas.seen()), options });
const quick = { interval_ms: 10, healthy_threshold: 2, unhealthy_threshold: 3 };

describe('how a replica stands', () => {
  it.each([
    ['', 'unknown'],
    ['+', 'unknown'],
    ['++', 'healthy'],
    ['+-+', 'unknown'],
    ['++--', 'healthy'],
    ['++---', 'unhealthy'],
    ['---', 'unhealthy'],
    ['---+', 'unhealthy'],
    ['---++', 'healthy'],
  ])('%j is %s', (probes, verdict) => {
    const standing = Array.from(probes).reduce((before, probe) => after(before, probe === '+', quick), UNKNOWN);
    expect(standing.verdict).toBe(verdict);
  });
});

it('is content where every replica is healthy over HTTP and TCP', async () => {
  const { port } = await start(healthy, healthy);
  const checks = [
    { path: '/health', ...quick, expect: { body_contains: 'up' } },
    { port, ...quick },
  ];
  const { failure, probes } = await run({ checks, duration_ms: 0 });
  expect(failure).toBeUndefined();
  expect(probes).toHaveLength(8);
  expect(probes.every(({ healthy }) => healthy)).toBe(true);
  expect(new Set(probes.map(({ target }) => target))).toEqual(
    new Set([
      'GET /health of replica 1',
      'GET /health of replica 2',
      `TCP port ${port} of replica 1`,
      `TCP port ${port} of replica 2`,
    ]),
  );
});

it('fails at once when one replica is unhealthy', async () => {
  await start(healthy, failing);
  const input = { checks: [{ path: '/', ...quick }], duration_ms: 540_000 };
  const { failure, probes } = await run(input);
  expect(failure).toMatchObject({
    code: 'health_check_failed',
    message: 'GET / of replica 2 is not healthy: the status is 500, expected 2xx; the body begins with "down".',
  });
  expect(probes.filter(({ target, healthy }) => target.endsWith('2') && !healthy)).toHaveLength(3);
});

it('goes on watching a replica that was healthy', async () => {
  let asked = 0;
  await start((request, response) => ((asked += 1) <= 5 ? healthy : failing)(request, response));
  const input = { checks: [{ path: '/', ...quick }], duration_ms: 540_000 };
  const { failure, probes } = await run(input);
  expect(failure).toMatchObject({ code: 'health_check_failed' });
  expect(probes.map(({ healthy }) => healthy)).toEqual([true, true, true, true, true, false, false, false]);
});

it('fails a replica that is never healthy often enough', async () => {
  let asked = 0;
  await start((request, response) => ((asked += 1) % 2 ? failing : healthy)(request, response));
  const { failure } = await run({ checks: [{ path: '/', ...quick }], duration_ms: 0 });
  expect(failure).toMatchObject({ code: 'health_check_failed' });
});

it('fails a port that accepts no connection', async () => {
  const { port } = await start(healthy, healthy);
  await replicas.stop(2);
  const { failure } = await run({ checks: [{ port, ...quick }], duration_ms: 0 });
  expect(failure).toMatchObject({ message: expect.stringMatching(/^TCP port \d+ of replica 2 .*ECONNREFUSED/) });
});

it('ends when it is stopped', async () => {
  await start(healthy);
  const options = { checks: [{ path: '/', interval_ms: 60_000 }] };
  const seen = await replicas.seenOnce();
  const { failure, leftBehind } = await runHook(healthCheck, 'post_deploy', { ...seen, options });
  expect(failure?.code).toBe('cancelled');
  expect(leftBehind).toBe(false);
});

it.each([
  [{}],
  [{ checks: [] }],
  [{ checks: [{}] }],
  [{ checks: [{ path: 'health' }] }],
  [{ checks: [{ path: '/', port: 80 }] }],
  [{ checks: [{ port: 0 }] }],
  [{ checks: [{ port: 80, expect: {} }] }],
  [{ checks: [{ path: '/' }], duration_ms: -1 }],
])('refuses %j', async (input) => {
  expect((await run(input)).failure?.code).toBe('plugin_options_invalid');
});
