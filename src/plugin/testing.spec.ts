import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HookDefinitions } from './define-plugin.js';
import { definePlugin, z, type JsonObject, type PreBuildContext } from './index.js';
import { fakeContext, runHook, sourceFolder } from './testing.js';

const pluginOf = (hooks: HookDefinitions<JsonObject>) => definePlugin({ name: 'tested', apiVersion: 1, hooks });

describe('a hook that is run', () => {
  it('passes with everything that it did', async () => {
    const plugin = pluginOf({
      post_deploy: async ({ log, probed, output, report, fetch, connect, run, secret, outputs, attempt }) => {
        log('info', 'begins', { attempt });
        const { status } = await fetch('/health');
        probed({ target: '/health', healthy: status === 200 });
        const { accepted } = await connect(5432);
        const { exitCode, lastLines } = await run(['npm', 'run', 'seed']);
        output('seen', { accepted, exitCode, lastLines, key: await secret('KEY'), before: outputs['first'] ?? null });
        report({ severity: 'info', code: 'seen', message: 'It was seen.' });
      },
    });
    const done = await runHook(plugin, 'post_deploy', {
      fetch: { '/health': 200 },
      connect: { 5432: false },
      run: { 'npm run seed': { lastLines: ['done'] } },
      secrets: { KEY: 'value' },
      outputs: { first: { rows: 3 } },
      attempt: 2,
    });
    expect(done).toEqual({
      outcome: 'passed',
      leftBehind: false,
      logs: [{ level: 'info', message: 'begins', details: { attempt: 2 } }],
      probes: [{ target: '/health', healthy: true }],
      findings: [{ severity: 'info', code: 'seen', message: 'It was seen.' }],
      outputs: { seen: { accepted: false, exitCode: 0, lastLines: ['done'], key: 'value', before: { rows: 3 } } },
      runs: [{ command: ['npm', 'run', 'seed'], options: {} }],
      fetches: [{ path: '/health', options: {} }],
      connects: [5432],
      unanswered: [],
    });
  });

  it('fails with its own code, message and evidence', async () => {
    const plugin = pluginOf({ pre_build: ({ fail }) => fail('too_old', 'It is too old.', ['2019']) });
    expect(await runHook(plugin, 'pre_build')).toMatchObject({
      outcome: 'failed',
      failure: { code: 'too_old', message: 'It is too old.', evidence: ['2019'] },
    });
  });

  it('fails where it throws, and shows where', async () => {
    const plugin = pluginOf({
      pre_build: () => {
        throw new TypeError('no such thing');
      },
    });
    const { failure } = await runHook(plugin, 'pre_build');
    expect(failure).toMatchObject({ code: 'hook_failed', message: 'no such thing' });
    expect(failure?.evidence.join('\n')).toContain('testing.spec');
  });

  it('fails where a secret is asked for that there is none of', async () => {
    const plugin = pluginOf({
      pre_build: async ({ secret }) => {
        await secret('TOKEN');
      },
    });
    const { failure } = await runHook(plugin, 'pre_build');
    expect(failure?.code).toBe('secret_missing');
    expect(failure?.message).toContain('TOKEN');
  });

  it.each([
    ['error', 'none', 'failed'],
    ['error', 'basic', 'failed'],
    ['warning', 'basic', 'passed'],
    ['warning', 'strict', 'failed'],
    ['info', 'strict', 'passed'],
  ] as const)('with a finding of severity %s at level %s has %s', async (severity, validationLevel, outcome) => {
    const plugin = pluginOf({
      pre_build: ({ report }) => report({ severity, code: 'seen', message: 'It was seen.', place: 'Dockerfile:3' }),
    });
    const done = await runHook(plugin, 'pre_build', {}, { validationLevel });
    expect(done.outcome).toBe(outcome);
    expect(done.failure?.evidence).toEqual(outcome === 'failed' ? ['Dockerfile:3: It was seen.'] : undefined);
  });

  it('is judged as a built-in check where it has the name of one', async () => {
    const hooks: HookDefinitions<JsonObject> = {
      pre_build: ({ report }) => report({ severity: 'warning', code: 'a', message: 'A.' }),
    };
    const check = definePlugin({ name: 'secret-scan', apiVersion: 1, hooks });
    expect((await runHook(check, 'pre_build', {}, { validationLevel: 'strict' })).outcome).toBe('passed');
  });

  it('takes the level of the deployment where none is given', async () => {
    const plugin = pluginOf({ pre_build: ({ report }) => report({ severity: 'warning', code: 'a', message: 'A.' }) });
    const deployment = { validation_level: 'strict' } as const;
    expect((await runHook(plugin, 'pre_build', { deployment })).outcome).toBe('failed');
  });

  it('has the time that it declares, whether it heeds the signal or not', async () => {
    const heeding = ({ signal }: PreBuildContext) => once(signal, 'abort').then(() => undefined);
    const deaf = () => new Promise<void>(() => undefined);
    const ends = [heeding, deaf].map((run) =>
      runHook(pluginOf({ pre_build: { run, timeoutSeconds: 1 } }), 'pre_build'),
    );
    const failure = { code: 'hook_timeout' };
    expect(await Promise.all(ends)).toMatchObject([
      { failure, leftBehind: false },
      { failure, leftBehind: true },
    ]);
  }, 20_000);

  it('can be cancelled', async () => {
    const cancelled = new AbortController();
    const plugin = pluginOf({
      pre_build: ({ signal }) => {
        cancelled.abort();
        signal.throwIfAborted();
      },
    });
    const { failure } = await runHook(plugin, 'pre_build', { signal: cancelled.signal });
    expect(failure?.code).toBe('cancelled');
  });

  it('reads its options as the server does', async () => {
    const options = z.strictObject({ limit_kb: z.number().positive().default(100) });
    const plugin = definePlugin({
      name: 'sizes',
      apiVersion: 1,
      options,
      hooks: { pre_build: ({ output, options: { limit_kb } }) => output('limit', limit_kb) },
    });
    expect((await runHook(plugin, 'pre_build')).outputs).toEqual({ limit: 100 });
    expect((await runHook(plugin, 'pre_build', { options: { limit_kb: 5 } })).outputs).toEqual({ limit: 5 });
    const { failure } = await runHook(plugin, 'pre_build', { options: { limit_kb: -1 } });
    expect(failure?.code).toBe('plugin_options_invalid');
    expect(failure?.message).toContain('limit_kb');
  });

  it('leaves no more than a hook may leave', async () => {
    const plugin = pluginOf({ pre_build: ({ output }) => output('much', 'x'.repeat(20_000)) });
    expect((await runHook(plugin, 'pre_build')).failure?.message).toContain('16384');
  });
});

describe('a mistake of the test', () => {
  it('is told even where the plugin takes it for an answer of the app', async () => {
    const plugin = pluginOf({
      post_deploy: async ({ fetch, fail }) => {
        await fetch('/health').catch(() => fail('down', 'It is down.'));
      },
    });
    await expect(runHook(plugin, 'post_deploy')).rejects.toThrow(
      "context.fetch('/health') was called, but the test gives no answer. Add one, such as fetch: { '/health': 200 }",
    );
  });

  it.each([
    ['run', "context.run('ls -l') was called"],
    ['connect', 'context.connect(80) was called'],
    ['workspace', 'context.workspace was read'],
  ])('is a missing answer to %s', async (what, sentence) => {
    const plugin = pluginOf({
      pre_build: ({ workspace, log }) => log('info', workspace.folder),
      post_deploy: async ({ run, connect }) => {
        await (what === 'run' ? run(['ls', '-l']) : connect(80));
      },
    });
    const hook = what === 'workspace' ? 'pre_build' : 'post_deploy';
    await expect(runHook(plugin, hook)).rejects.toThrow(sentence);
  });

  it('is a hook that the plugin does not have', async () => {
    await expect(runHook(pluginOf({ pre_build: () => undefined }), 'post_deploy')).rejects.toThrow(
      'tested has no hook post_deploy; it has pre_build',
    );
  });

  it('is a plugin that no server would take', async () => {
    const plugin = definePlugin({ name: 'Not A Name', apiVersion: 1, hooks: {} });
    await expect(runHook(plugin, 'pre_build')).rejects.toThrow('name must be');
  });
});

describe('a fake context', () => {
  it('answers by functions too, with what was asked', async () => {
    const { fetch, run } = fakeContext('post_deploy', {
      fetch: async (path, { method }) => ({ status: method === 'POST' ? 201 : 404, body: path }),
      run: ([, code]) => Number(code),
    });
    expect(await fetch('/orders', { method: 'POST' })).toMatchObject({ status: 201, body: '/orders' });
    expect(await run(['exit', '7'])).toMatchObject({ exitCode: 7 });
  });

  it('tells requests apart by their method', async () => {
    const { fetch } = fakeContext('post_deploy', { fetch: { '/orders': 200, 'POST /orders': 422 } });
    expect((await fetch('/orders')).status).toBe(200);
    expect((await fetch('/orders', { method: 'POST' })).status).toBe(422);
    await expect(fetch('/orders', { method: 'PUT' })).rejects.toThrow('no answer');
  });

  it('throws an error that is the answer', async () => {
    const context = fakeContext('post_deploy', { fetch: { '/': new Error('ECONNREFUSED') } });
    await expect(context.fetch('/')).rejects.toThrow('ECONNREFUSED');
    expect(context.recorded.unanswered).toEqual([]);
  });

  it('tells replicas apart by their slot', async () => {
    const { connect, recorded } = fakeContext('post_deploy', { connect: (_port, _timeoutMs, slot) => slot === 1 });
    expect(await Promise.all([connect(5432, 100, 1), connect(5432, 100, 2)])).toMatchObject([
      { accepted: true },
      { accepted: false },
    ]);
    expect(recorded.connects).toEqual([5432, 5432]);
  });

  it('shows a deployment that cannot be changed, and leaves the parts of the test alone', () => {
    const actor = { name: 'someone' };
    const { deployment } = fakeContext('pre_build', { deployment: { actor, replicas: 3 } });
    expect(deployment).toMatchObject({ app_name: 'web', replicas: 3, actor: { name: 'someone' } });
    expect(Object.isFrozen(deployment.actor)).toBe(true);
    expect(Object.isFrozen(actor)).toBe(false);
  });

  it('can be run, and looked at afterwards', async () => {
    const context = fakeContext('pre_build', { options: {} });
    await runHook(pluginOf({ pre_build: ({ log }) => log('warn', 'hm') }), 'pre_build', context);
    expect(context.recorded.logs).toEqual([{ level: 'warn', message: 'hm' }]);
  });
});

describe('a source folder', () => {
  it('holds the files until it is disposed of', async () => {
    let file: string;
    {
      await using source = await sourceFolder({ Dockerfile: 'FROM scratch', 'src/main.js': 'run()' });
      expect(source.dockerfile).toBe('Dockerfile');
      file = join(source.folder, 'src/main.js');
      expect(await readFile(file, 'utf8')).toBe('run()');
    }
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('is there while the hook runs, and gone afterwards', async () => {
    let folder = '';
    const plugin = pluginOf({
      pre_build: async ({ workspace, output }) => {
        folder = workspace.folder;
        output('first', await readFile(join(folder, workspace.dockerfile), 'utf8'));
      },
    });
    const { outputs } = await runHook(plugin, 'pre_build', { source: { Dockerfile: 'FROM scratch' } });
    expect(outputs).toEqual({ first: 'FROM scratch' });
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  it('holds nothing outside of itself', async () => {
    await expect(sourceFolder({ '../escaped': '' })).rejects.toThrow('outside');
  });
});
