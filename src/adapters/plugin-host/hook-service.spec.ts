import { afterEach, describe, expect, it } from '@jest/globals';
import { pluginProcesses, pluginSource, recordedContext, writeFiles } from '../../../test/support/plugin-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { DeployError } from '../../domain/errors.js';
import type { HookContexts, JsonObject, Plugin } from '../../domain/plugin.js';
import { loadExternalPlugin } from './external-plugin.js';

const folder = temporaryFolder();
const load = (label: string): Promise<Plugin> =>
  loadExternalPlugin(label, { workingFolder: folder.path, dataFolder: folder.path });

afterEach(async () => {
  expect(await pluginProcesses()).toEqual([]);
});

describe('the context of a hook', () => {
  async function ran(body: string, functions: Partial<HookContexts<JsonObject>['post_deploy']> = {}) {
    await writeFiles(folder.path, { 'probe.mjs': pluginSource(body) });
    const plugin = await load('probe.mjs');
    const recorded = recordedContext({ functions });
    const outcome = await plugin.run('post_deploy', recorded.context).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { ...recorded, outcome };
  }

  it('has all that the real one has, in order', async () => {
    const asked: unknown[] = [];
    const answering =
      <Value>(method: string, value: Value) =>
      async (...args: unknown[]): Promise<Value> => {
        asked.push([method, ...args]);
        return value;
      };
    const { calls, outcome } = await ran(
      `
      const { deployment, phase, attempt, options, outputs, image, service, signal } = context;
      context.log('debug', 'data', { app: deployment.app_name, phase, attempt, options, outputs, image: image.reference, service: service.name, aborted: signal.aborted });
      context.probed({ target: 'http://10.0.0.1/', healthy: false, httpStatus: 503 });
      context.report({ severity: 'warning', code: 'slow', message: 'It is slow.' });
      context.output('ms', 12);
      context.log('info', await context.secret('KEY'));
      context.log('info', (await context.run(['true'], { env: { A: 'b' }, timeoutSeconds: 3 })).exitCode.toString());
      context.log('info', (await context.fetch('/health', { method: 'HEAD' })).body);
      context.log('info', String((await context.connect(5432, 50, 2)).accepted));
      console.log('from stdout'); console.error('from stderr');`,
      {
        secret: answering('secret', 'value of KEY'),
        run: answering('run', { exitCode: 0, lastLines: [], durationMs: 1 }),
        fetch: answering('fetch', { status: 200, headers: {}, body: 'well', durationMs: 1 }),
        connect: answering('connect', { accepted: true, durationMs: 1 }),
      },
    );
    expect(outcome).toBeUndefined();
    expect(asked).toEqual([
      ['secret', 'KEY'],
      ['run', ['true'], { env: { A: 'b' }, timeoutSeconds: 3 }],
      ['fetch', '/health', { method: 'HEAD' }],
      ['connect', 5432, 50, 2],
    ]);
    const printed = calls.filter(([, , message]) => String(message).startsWith('from '));
    expect(new Set(printed.map(([, level, message]) => `${String(level)} ${String(message)}`))).toEqual(
      new Set(['info from stdout', 'warn from stderr']),
    );
    expect(calls.filter((call) => !printed.includes(call))).toEqual([
      [
        'log',
        'debug',
        'data',
        {
          app: 'shop',
          phase: 'post_deploy',
          attempt: 1,
          options: {},
          outputs: { earlier: { size: 3 } },
          image: 'shop:4',
          service: 'shop',
          aborted: false,
        },
      ],
      ['probed', { target: 'http://10.0.0.1/', healthy: false, httpStatus: 503 }],
      ['report', { severity: 'warning', code: 'slow', message: 'It is slow.' }],
      ['output', 'ms', 12],
      ['log', 'info', 'value of KEY', undefined],
      ['log', 'info', '0', undefined],
      ['log', 'info', 'well', undefined],
      ['log', 'info', 'true', undefined],
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
      { secret },
    );
    expect(caught.messages()).toEqual(['secret_missing No secret KEY.']);
    expect((await ran(`await context.secret('KEY');`, { secret })).outcome).toBe(missing);
  });

  it('ends the hook with what it refuses', async () => {
    const refusal = new DeployError('hook_failed', 'too much');
    const { outcome } = await ran(`context.output('all', 1); await new Promise(() => {});`, {
      output: () => {
        throw refusal;
      },
    });
    expect(outcome).toBe(refusal);
  });

  it('tells the plugin of the abort, and rejects with its reason', async () => {
    await writeFiles(folder.path, {
      'probe.mjs': pluginSource(`
        context.log('info', 'waits');
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        context.log('info', 'was told ' + context.signal.reason.code);`),
    });
    const plugin = await load('probe.mjs');
    const cancel = new AbortController();
    const reason = new DeployError('cancelled');
    const { context, messages } = recordedContext({ signal: cancel.signal });
    const log: typeof context.log = (level, message, details) => {
      context.log(level, message, details);
      if (message === 'waits') cancel.abort(reason);
    };
    await expect(plugin.run('post_deploy', { ...context, log })).rejects.toBe(reason);
    expect(messages()).toEqual(['waits', 'was told cancelled']);
  });
});
