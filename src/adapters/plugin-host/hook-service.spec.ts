import { afterEach, describe, expect, it } from '@jest/globals';
import { pluginProcesses, runOutside } from '../../../test/support/plugin-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { DeployError } from '../../domain/errors.js';
import type { PostDeployContext } from '../../domain/plugin.js';
import { fakeContext, type PostDeployParts } from '../../plugin/testing.js';

const folder = temporaryFolder();

afterEach(async () => {
  expect(await pluginProcesses()).toEqual([]);
});

describe('the context of a hook', () => {
  async function ran(
    body: string,
    parts: PostDeployParts = {},
    functions: Partial<Pick<PostDeployContext, 'secret' | 'output' | 'log'>> = {},
  ) {
    const context = fakeContext('post_deploy', parts);
    const outcome = await runOutside(folder.path, body, 'post_deploy', { ...context, ...functions });
    return { ...context.recorded, outcome };
  }

  it('has all that the real one has, in order', async () => {
    const asked: unknown[] = [];
    const { outcome, logs, probes, findings, outputs, runs, fetches } = await ran(
      `
      const { deployment, phase, attempt, options, outputs, image, service, signal } = context;
      context.log('debug', 'data', { app: deployment.app_name, phase, attempt, options, outputs, image: image.reference, service: service.name, aborted: signal.aborted });
      context.probed({ target: 'http://10.0.0.1/', healthy: false, httpStatus: 503 });
      context.report({ severity: 'warning', code: 'slow', message: 'It is slow.' });
      context.output('ms', 12);
      context.log('info', await context.secret('KEY'));
      context.log('info', (await context.run(['true'], { env: { A: 'b' }, timeoutSeconds: 3 })).exitCode.toString());
      context.log('info', (await context.fetch('/health', { method: 'HEAD', slot: 2 })).body);
      context.log('info', String((await context.connect(5432, 50, 2)).accepted));
      console.log('from stdout'); console.error('from stderr');`,
      {
        outputs: { earlier: { size: 3 } },
        secrets: { KEY: 'value of KEY' },
        run: { true: 7 },
        fetch: { 'HEAD /health': { body: 'well' } },
        connect: (...call) => {
          asked.push(call);
          return false;
        },
      },
    );
    expect(outcome).toBe('passed');
    expect(asked).toEqual([[5432, 50, 2]]);
    expect(runs).toEqual([{ command: ['true'], options: { env: { A: 'b' }, timeoutSeconds: 3 } }]);
    expect(fetches).toEqual([{ path: '/health', options: { method: 'HEAD', slot: 2 } }]);
    expect(probes).toEqual([{ target: 'http://10.0.0.1/', healthy: false, httpStatus: 503 }]);
    expect(findings).toEqual([{ severity: 'warning', code: 'slow', message: 'It is slow.' }]);
    expect(outputs).toEqual({ ms: 12 });
    const printed = logs.filter(({ message }) => message.startsWith('from '));
    expect(new Set(printed)).toEqual(
      new Set([
        { level: 'info', message: 'from stdout' },
        { level: 'warn', message: 'from stderr' },
      ]),
    );
    const details = {
      app: 'web',
      phase: 'post_deploy',
      attempt: 1,
      options: {},
      outputs: { earlier: { size: 3 } },
      image: 'flukedeploy/web:v1',
      service: 'web-r1',
      aborted: false,
    };
    expect(logs.filter((line) => !printed.includes(line))).toEqual([
      { level: 'debug', message: 'data', details },
      ...['value of KEY', '7', 'well', 'false'].map((message) => ({ level: 'info', message })),
    ]);
  });

  it('carries fail across the border whole', async () => {
    const { outcome } = await ran(`context.fail('too_big', 'It is too big.', ['10 MB']);`);
    expect(outcome).toMatchObject({
      name: 'HookFailure',
      code: 'too_big',
      message: 'It is too big.',
      evidence: ['10 MB'],
    });
  });

  it('throws what a call threw, with its code, and lets it pass as what it was', async () => {
    const missing = new DeployError('secret_missing', 'No secret KEY.');
    const secret = () => Promise.reject(missing);
    const caught = await ran(
      `await context.secret('KEY').catch((error) => context.log('info', error.code + ' ' + error.message));`,
      {},
      { secret },
    );
    expect(caught.logs).toEqual([{ level: 'info', message: 'secret_missing No secret KEY.' }]);
    expect((await ran(`await context.secret('KEY');`, {}, { secret })).outcome).toBe(missing);
  });

  it('ends the hook with what it refuses', async () => {
    const refusal = new DeployError('hook_failed', 'too much');
    const output = () => {
      throw refusal;
    };
    const { outcome } = await ran(`context.output('all', 1); await new Promise(() => {});`, {}, { output });
    expect(outcome).toBe(refusal);
  });

  it('tells the plugin of the abort, and rejects with its reason', async () => {
    const cancel = new AbortController();
    const reason = new DeployError('cancelled');
    const messages: string[] = [];
    const log: PostDeployContext['log'] = (_level, message) => {
      messages.push(message);
      if (message === 'waits') cancel.abort(reason);
    };
    const { outcome } = await ran(
      `
      context.log('info', 'waits');
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      context.log('info', 'was told ' + context.signal.reason.code);`,
      { signal: cancel.signal },
      { log },
    );
    expect(outcome).toBe(reason);
    expect(messages).toEqual(['waits', 'was told cancelled']);
  });
});
