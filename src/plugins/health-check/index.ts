/** health-check: watches every replica of the new version for a while, over HTTP or TCP, and fails when one is not healthy. */
import { setTimeout as pause } from 'node:timers/promises';
import { definePlugin, z, type PostDeployContext } from '../../plugin/index.js';
import { expectations } from '../http/expectations.js';
import { interval, path, probe, timeout } from '../http/probe.js';
import { after, UNKNOWN } from './standing.js';

const threshold = z.int().min(1).max(100);

const pace = {
  interval_ms: interval.default(1_000).describe('Milliseconds between two probes of a replica.'),
  timeout_ms: timeout.default(2_000).describe('Milliseconds that one probe may take.'),
  healthy_threshold: threshold.default(2).describe('Good probes in a row that make a replica healthy.'),
  unhealthy_threshold: threshold.default(3).describe('Bad probes in a row that make a replica unhealthy.'),
};

const check = z.union([
  z.strictObject({
    path: path.describe('What replicas are asked for by GET, beginning with a slash.'),
    ...pace,
    expect: expectations.prefault({}),
  }),
  z.strictObject({
    port: z.int().min(1).max(65_535).describe('Port at which replicas accept TCP connections.'),
    ...pace,
  }),
]);

const options = z.strictObject({
  checks: z.array(check).min(1).max(10).describe('What every replica is asked.'),
  duration_ms: z.int().min(0).max(540_000).default(10_000).describe('Milliseconds for which the replicas are watched.'),
});

type Check = z.infer<typeof check>;

export const healthCheck = definePlugin({
  name: 'health-check',
  apiVersion: 1,
  about: 'Watches every replica of the new version for a while, over HTTP or TCP.',
  options,
  hooks: {
    post_deploy: {
      timeoutSeconds: 600,
      run: async (context) => {
        const until = performance.now() + context.options.duration_ms;
        const over = new AbortController();
        const stop = AbortSignal.any([context.signal, over.signal]);
        const watches = context.options.checks.flatMap((check) =>
          context.service.tasks.map(({ slot }) => watch(context, check, slot, until, stop)),
        );
        try {
          await Promise.all(watches);
        } finally {
          // The first replica that fails ends the watch over the others.
          over.abort();
          await Promise.allSettled(watches);
        }
      },
    },
  },
});

/** Asks one replica until the time is over, and often enough to know. */
async function watch(
  context: PostDeployContext,
  check: Check,
  slot: number,
  until: number,
  stop: AbortSignal,
): Promise<void> {
  const target = `${'port' in check ? `TCP port ${check.port}` : `GET ${check.path}`} of replica ${slot}`;
  const reasons: string[] = [];
  let standing = UNKNOWN;
  for (let asked = 0; asked < check.healthy_threshold || performance.now() < until; asked += 1) {
    if (asked > 0) await pause(check.interval_ms, undefined, { signal: stop });
    const reason = await ask(context, check, slot, target);
    if (reason !== undefined) reasons.push(reason);
    standing = after(standing, reason === undefined, check);
    if (standing.verdict === 'unhealthy') break;
  }
  if (standing.verdict === 'healthy') return;
  const last = reasons.slice(-5);
  context.fail('health_check_failed', `${target} is not healthy: ${last.at(-1) ?? 'no probe was good'}.`, last);
}

/** Why the replica is not well; `undefined` when it is. */
async function ask(
  context: PostDeployContext,
  check: Check,
  slot: number,
  target: string,
): Promise<string | undefined> {
  if ('path' in check) {
    const { path, expect, timeout_ms: timeoutMs } = check;
    return probe(context, { target, path, options: { slot, timeoutMs }, expect });
  }
  const { accepted, durationMs, reason = 'no connection' } = await context.connect(check.port, check.timeout_ms, slot);
  context.probed({ target, healthy: accepted, durationMs, ...(!accepted && { reason }) });
  return accepted ? undefined : reason;
}
