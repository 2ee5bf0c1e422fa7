import { describe, expect, it } from '@jest/globals';
import { DeployError } from '../../../domain/errors.js';
import { LIMITS } from '../../../domain/limits.js';
import type { PreBuildContext } from '../../../domain/plugin.js';
import { definePlugin, z } from '../../../plugin/index.js';
import { at } from '../../../../test/support/deployment-fixtures.js';
import { course, plugin, WORKSPACE } from '../../../../test/support/hook-course.js';
import { until } from '../../../../test/support/until.js';

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
      hooks: {
        pre_build: ({ options }) => {
          seen.push(options);
        },
      },
    });
    await (
      await course([definition])
    ).end;
    expect(seen).toEqual([{ limit: 7 }]);
    const wrong = await course([definition], { plugins: [{ name: 'size', options: { limit: 'x' } }] });
    await expect(wrong.end).rejects.toMatchObject({ code: 'plugin_options_invalid', message: /^limit: / });
  });

  it('is told secrets of the app, and those of the server where the server has switched it on', async () => {
    const seen: string[] = [];
    const asks = plugin('asks', async ({ secret }) => {
      for (const name of ['API_KEY', 'SLACK', 'NOPE']) seen.push(await secret(name));
    });
    const server = { API_KEY: 'of the server', SLACK: 'hook' };
    const own = await course([asks], {}, { server });
    await expect(own.end).rejects.toMatchObject({ code: 'secret_missing', message: expect.stringContaining('SLACK') });
    const servers = await course([asks], { plugins: [], server_plugins: [{ name: 'asks' }] }, { server });
    await expect(servers.end).rejects.toMatchObject({
      code: 'secret_missing',
      message: expect.stringContaining('NOPE'),
    });
    expect(seen).toEqual(['clear', 'of the server', 'hook']);
  });
});

it.each(['constructor', 'toString', '__proto__'])('no secret is named %s where nobody has given one', async (name) => {
  const { end } = await course([plugin('asks', ({ secret }) => secret(name))]);
  await expect(end).rejects.toMatchObject({ code: 'secret_missing' });
});

describe('a hook that fails', () => {
  const throwing = (thrown: unknown) => () => {
    throw thrown;
  };
  const failing = [
    [
      'by fail',
      ({ fail }: PreBuildContext) => fail('too_big', 'It is too big.', ['9 MB']),
      'too_big',
      'It is too big.',
    ],
    ['by an exception', throwing(new Error('boom')), 'hook_failed', 'bad: boom'],
    ['by something that is no error', throwing('boom'), 'hook_failed', 'bad: boom'],
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
    const { end, results } = await course([
      plugin('long', ({ report }) => report({ severity: 'info', code: long, message: long, place: long, hint: long })),
    ]);
    await end;
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

it('a validation hears how every hook ended, and chooses those that run', async () => {
  const { runner, session } = await course([
    plugin('first', ({ fail }) => fail('broken', 'It is broken.')),
    plugin('left-out', ({ fail }) => fail('broken', 'It was not to run.')),
    plugin('last', ({ report }) => report({ severity: 'warning', code: 'odd', message: 'It is odd.' })),
  ]);
  const heard: unknown[] = [];
  await runner.run(session, 'pre_build', () => WORKSPACE, {
    runs: ({ name }) => name !== 'left-out',
    ended: ({ plugin: { name } }, { outcome }, error) => heard.push([name, outcome, error?.message]),
  });
  expect(heard).toEqual([
    ['first', 'failed', 'It is broken.'],
    ['last', 'passed', undefined],
  ]);
});

it('where nothing is switched on, nothing runs', async () => {
  expect(await (await course([plugin('bad', () => Promise.reject(new Error()))], { plugins: [] })).end).toBe(false);
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
