/** smoke-test: asks the new version what its users will ask it, and fails where an answer is not what is expected. */
import { setTimeout as pause } from 'node:timers/promises';
import { definePlugin, z, type PostDeployContext } from '../../plugin/index.js';
import { expectations, headersOf } from '../http/expectations.js';
import { interval, path, probe, timeout } from '../http/probe.js';

const request = z.strictObject({
  name: z.string().min(1).max(100).optional().describe('What findings call it; method and path when left out.'),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    .default('GET')
    .describe('The HTTP method.'),
  path: path.describe('What is asked for, beginning with a slash.'),
  headers: headersOf(z.string().max(2_000))
    .default({})
    .describe('Headers of the request; `host` is a name of the app when left out.'),
  body: z.string().max(100_000).optional().describe('Body of the request.'),
  expect: expectations.prefault({}),
  attempts: z.int().min(1).max(10).default(3).describe('How often it is asked until an answer is as expected.'),
  interval_ms: interval.default(1_000).describe('Milliseconds between two attempts.'),
  timeout_ms: timeout.default(10_000).describe('Milliseconds that one attempt may take.'),
});

const options = z.strictObject({
  requests: z.array(request).min(1).max(50).describe('What is asked, in this order.'),
  every_replica: z.boolean().default(false).describe('Whether every replica is asked, rather than one of them.'),
});

type Request = z.infer<typeof request>;

export const smokeTest = definePlugin({
  name: 'smoke-test',
  apiVersion: 1,
  about: 'Sends requests to the new version and compares its answers with what is expected.',
  options,
  hooks: {
    post_deploy: {
      timeoutSeconds: 600,
      run: async (context) => {
        const { requests, every_replica } = context.options;
        const slots = every_replica ? context.service.tasks.map(({ slot }) => slot) : [undefined];
        for (const request of requests) {
          for (const slot of slots) await check(context, request, slot);
        }
      },
    },
  },
});

async function check(context: PostDeployContext, request: Request, slot: number | undefined): Promise<void> {
  const place = request.name ?? `${request.method} ${request.path}`;
  const target = slot === undefined ? place : `${place} of replica ${slot}`;
  const reason = await attempt(context, request, target, slot);
  if (reason === undefined) return;
  context.report({
    severity: 'error',
    code: 'smoke_test_failed',
    message: `${target} is not as expected: ${reason}.`,
    place,
    hint: 'Ask the app the same, or change what the smoke test expects.',
  });
}

/** Why the last attempt was not as expected; `undefined` as soon as one is. */
async function attempt(
  context: PostDeployContext,
  { method, path, headers, body, expect, attempts, interval_ms, timeout_ms }: Request,
  target: string,
  slot: number | undefined,
): Promise<string | undefined> {
  const options = {
    method,
    headers,
    timeoutMs: timeout_ms,
    ...(body !== undefined && { body }),
    ...(slot !== undefined && { slot }),
  };
  for (let left = attempts; ; left -= 1) {
    const reason = await probe(context, { target, path, options, expect });
    if (reason === undefined || left === 1) return reason;
    await pause(interval_ms, undefined, { signal: context.signal });
  }
}
