import { describe, expect, it } from '@jest/globals';
import { DEFAULT_CONFIG, type DeploySpec } from '../../../domain/app-spec.js';
import type { Fact } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import type { DeploymentKind } from '../../../domain/facts.js';
import type { HookResult, PluginUse } from '../../../domain/hooks.js';
import { LIMITS } from '../../../domain/limits.js';
import type { LogDraft } from '../../../domain/log-entry.js';
import type { Plugin, PreBuildContext } from '../../../domain/plugin.js';
import { inProcessPlugin } from '../../../plugin/in-process-plugin.js';
import { definePlugin, z, type PluginDefinition } from '../../../plugin/index.js';
import { at, identity } from '../../../../test/support/deployment-fixtures.js';
import { until } from '../../../../test/support/until.js';
import { NO_SERVER_PLUGINS, Plugins } from '../../plugins/index.js';
import { HookRunner } from './hook-runner.js';
import type { HookSession } from './hook-session.js';

const WORKSPACE = { workspace: { folder: '/source', dockerfile: 'Dockerfile' } };

interface Course {
  readonly drafts: LogDraft[];
  readonly results: HookResult[];
  readonly stop: (reason: unknown) => void;
  readonly end: Promise<boolean>;
}

type Definition = PluginDefinition<never>;

/** What a plugin does in pre_build, under its name. */
const plugin = (name: string, run: (context: PreBuildContext) => unknown, more: object = {}) =>
  definePlugin({
    name,
    apiVersion: 1,
    hooks: { pre_build: { run: async (context) => void (await run(context)), ...more } },
  });

async function course(
  definitions: readonly unknown[],
  spec: Partial<DeploySpec> = {},
  { server = {}, origin = 'external' as Plugin['origin'], kind = 'deploy' as DeploymentKind } = {},
): Promise<Course> {
  const plugins = await Plugins.open(
    definitions.map((definition) => inProcessPlugin(definition as Definition, { version: '1.0.0', origin })),
    { ...NO_SERVER_PLUGINS, secrets: server },
  );
  const abort = new AbortController();
  const drafts: LogDraft[] = [];
  const results: HookResult[] = [];
  const uses: PluginUse[] = plugins.all.map(({ name }) => ({ name }));
  const session: HookSession = {
    record: {
      spec: {
        source: { kind: 'dockerfile', dockerfile: 'FROM scratch' },
        config: {},
        validation_level: 'basic',
        auto_rollback: true,
        on_conflict: 'queue',
        plugins: uses,
        ...spec,
      },
    },
    state: { identity: { ...identity, kind } },
    config: { ...DEFAULT_CONFIG, env: { API_KEY: 'sealed' } },
    env: { API_KEY: 'clear' },
    secrets: {},
    phase: 'pre_build',
    attempt: 1,
    signal: abort.signal,
    place: () => ({ at, phase: 'pre_build', attempt: 1 }),
    emit: (draft) => void drafts.push(draft),
    note: (fact: Fact) => void (fact.type === 'hook_ended' && results.push(fact.result)),
    output: () => undefined,
  };
  const end = new HookRunner(plugins).run(session, 'pre_build', () => WORKSPACE);
  end.catch(() => undefined);
  return { drafts, results, stop: (reason) => abort.abort(reason), end };
}

describe('a hook', () => {
  it('passes, with what it says and leaves behind', async () => {
    const { end, drafts, results } = await course([
      plugin('size', ({ log, output, workspace }) => {
        log('info', `looked at ${workspace.folder}`, { files: 3 });
        output('files', 3);
      }),
    ]);
    expect(await end).toBe(true);
    expect(drafts).toEqual([
      {
        at,
        phase: 'pre_build',
        attempt: 1,
        component: 'plugin/size',
        level: 'info',
        message: 'looked at /source',
        metadata: { details: { files: 3 } },
      },
    ]);
    const outcome = { plugin: 'size', hook: 'pre_build', attempt: 1, outcome: 'passed', outputs: { files: 3 } };
    expect(results).toEqual([{ ...outcome, duration_ms: expect.any(Number) }]);
  });

  it('sees what those before it have left', async () => {
    const seen: unknown[] = [];
    const { end } = await course([
      { ...plugin('second', ({ outputs }) => seen.push(outputs)), after: ['first'] },
      plugin('first', ({ output }) => output('n', 1)),
    ]);
    await end;
    expect(seen).toEqual([{ first: { n: 1 } }]);
  });

  it('cannot change the deployment', async () => {
    const { end } = await course([
      plugin('evil', ({ deployment }) => {
        (deployment.domains as string[]).push('evil.example.com');
      }),
    ]);
    await expect(end).rejects.toMatchObject({ code: 'hook_failed', message: expect.stringMatching(/not extensible/) });
  });

  it('gets its options as it has described them', async () => {
    const seen: unknown[] = [];
    const definition = definePlugin({
      name: 'size',
      apiVersion: 1,
      options: z.strictObject({ limit: z.number().default(7) }),
      hooks: { pre_build: ({ options }) => void seen.push(options) },
    });
    await (
      await course([definition])
    ).end;
    expect(seen).toEqual([{ limit: 7 }]);
    const wrong = await course([definition], { plugins: [{ name: 'size', options: { limit: 'x' } }] });
    await expect(wrong.end).rejects.toMatchObject({ code: 'plugin_options_invalid', message: /^limit: / });
  });

  it('is told secrets of the app before those of the server, and that one is missing', async () => {
    const seen: string[] = [];
    const server = { API_KEY: 'of the server', SLACK: 'hook' };
    const { end } = await course(
      [
        plugin('asks', async ({ secret }) => {
          seen.push(await secret('API_KEY'), await secret('SLACK'));
          await secret('NOPE');
        }),
      ],
      {},
      { server },
    );
    await expect(end).rejects.toMatchObject({ code: 'secret_missing', message: /NOPE/ });
    expect(seen).toEqual(['clear', 'hook']);
  });
});

it.each(['constructor', 'toString', '__proto__'])('no secret is named %s where nobody has given one', async (name) => {
  const { end } = await course([plugin('asks', ({ secret }) => secret(name))]);
  await expect(end).rejects.toMatchObject({ code: 'secret_missing' });
});

describe('a hook that fails', () => {
  const failing = [
    [
      'by fail',
      ({ fail }: PreBuildContext) => fail('too_big', 'It is too big.', ['9 MB']),
      'too_big',
      'It is too big.',
    ],
    ['by an exception', () => Promise.reject(new Error('boom')), 'hook_failed', 'bad: boom'],
    ['by something that is no error', () => Promise.reject('boom' as unknown as Error), 'hook_failed', 'bad: boom'],
  ] as const;

  it.each(failing)('%s stops the phase, and what comes after it', async (_name, run, code, message) => {
    const ran: string[] = [];
    const { end, results } = await course([plugin('bad', run), plugin('later', () => ran.push('later'))]);
    await expect(end).rejects.toMatchObject({ code: 'hook_failed', message, plugin: { name: 'bad' } });
    expect(results).toMatchObject([{ plugin: 'bad', outcome: 'failed', code, message }]);
    expect(ran).toEqual([]);
  });

  it.each(failing)('%s is a warning where it says so, or is switched on so', async (_name, run, code, message) => {
    for (const each of [
      await course([plugin('bad', run, { onFailure: 'warn' })]),
      await course([plugin('bad', run)], { plugins: [{ name: 'bad', on_failure: 'warn' }] }),
    ]) {
      expect(await each.end).toBe(true);
      expect(each.results).toMatchObject([{ outcome: 'warned', code, message }]);
    }
  });

  it('may use codes of the table only where it comes with FlukeDeploy', async () => {
    const run = ({ fail }: PreBuildContext) => fail('internal', 'It is broken.');
    const stranger = await course([plugin('bad', run)]);
    await expect(stranger.end).rejects.toMatchObject({ code: 'hook_failed', plugin: { code: 'internal' } });
    const own = await course([plugin('bad', run)], {}, { origin: 'built-in' });
    await expect(own.end).rejects.toMatchObject({ code: 'internal' });
  });

  it('for its findings: errors stop it once it has ended, all of them told', async () => {
    const { end, drafts, results } = await course([
      plugin('lint', ({ report }) => {
        report({ severity: 'error', code: 'a', message: 'First.', place: 'Dockerfile:1', hint: 'Mend it.' });
        report({ severity: 'warning', code: 'b', message: 'Second.' });
        report({ severity: 'error', code: 'c', message: 'Third.' });
      }),
    ]);
    const evidence = ['Dockerfile:1: First.', 'Third.'];
    await expect(end).rejects.toMatchObject({ message: 'First.', evidence, plugin: { name: 'lint', code: 'a' } });
    expect(results).toMatchObject([{ outcome: 'failed', code: 'a', findings: [{}, {}, {}] }]);
    expect(drafts.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'Dockerfile:1: First.'],
      ['warn', 'Second.'],
      ['error', 'Third.'],
    ]);
  });

  it('keeps no more of a finding than a list of deployments can bear', async () => {
    const long = 'x'.repeat(100_000);
    const { results } = await course([
      plugin('long', ({ report }) => report({ severity: 'info', code: long, message: long, place: long, hint: long })),
    ]).then(async (each) => (await each.end, each));
    expect(JSON.stringify(results).length).toBeLessThan(3 * LIMITS.finding_length + 1_000);
  });

  it('by its deadline', async () => {
    const { end, results } = await course([plugin('slow', () => new Promise(() => undefined), { timeoutSeconds: 1 })]);
    await expect(end).rejects.toMatchObject({ code: 'hook_timeout', message: /1 s/ });
    expect(results).toMatchObject([{ outcome: 'failed', code: 'hook_timeout' }]);
  }, 20_000);

  it('by more entries than it may write', async () => {
    const { end, drafts } = await course([
      plugin('flood', async ({ log, signal }) => {
        for (let n = 0; n < 20_000; n++) log('info', 'x');
        await until(async () => signal.aborted, 'it is stopped');
      }),
    ]);
    await expect(end).rejects.toMatchObject({ code: 'plugin_flooded' });
    expect(drafts).toHaveLength(10_000);
  }, 20_000);
});

it('a deployment that is stopped in the midst of a hook ends for that, and nothing is said of the hook', async () => {
  const { end, stop, results } = await course([
    plugin('waits', ({ signal }) =>
      until(async () => signal.aborted, 'it is stopped').then(() => Promise.reject(new Error('late'))),
    ),
  ]);
  const reason = new DeployError('cancelled');
  stop(reason);
  await expect(end).rejects.toBe(reason);
  expect(results).toEqual([]);
});

it('a plugin that this worker does not have is told by name', async () => {
  const { end } = await course([], { plugins: [{ name: 'elsewhere' }] });
  await expect(end).rejects.toMatchObject({ code: 'plugin_missing', message: /elsewhere/ });
});

it.each(['scale', 'restart', 'rollback'] as const)('a %s goes on without a plugin that is gone', async (kind) => {
  const { end, drafts } = await course([], { plugins: [{ name: 'gone' }] }, { kind });
  expect(await end).toBe(false);
  const warning = 'This worker has no plugin gone. The rollback goes on.';
  expect(drafts.map(({ message }) => message)).toEqual(kind === 'rollback' ? [warning] : []);
});

it('what a hook has left running is told to stop once it has ended', async () => {
  let signal: AbortSignal | undefined;
  const { end } = await course([plugin('leaves', (context) => (signal = context.signal))]);
  expect([await end, signal?.aborted]).toEqual([true, true]);
});

it('where nothing is switched on, nothing runs', async () => {
  expect(await (await course([plugin('bad', () => Promise.reject(new Error()))], { plugins: [] })).end).toBe(false);
});
