import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pluginProcesses, runOutside } from '../../../test/support/plugin-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { fakeContext, sourceFolder } from '../../plugin/testing.js';

const MEGABYTES = 1024 * 1024;
const folder = temporaryFolder();

/** How a hook with this body ends, and what it has done. */
async function ran(body: string) {
  const context = fakeContext('post_deploy');
  const outcome = await runOutside(folder.path, body, 'post_deploy', context);
  return { outcome, ...context.recorded };
}

afterEach(async () => {
  expect(await pluginProcesses()).toEqual([]);
});

const FAILING: readonly (readonly [string, string, object])[] = [
  [
    'throws',
    `throw new TypeError('no such thing');`,
    { code: 'hook_failed', message: 'no such thing', evidence: [expect.stringMatching(/^Object\.run|probe\.mjs:3/)] },
  ],
  ['throws what is no error', `throw { toString() { throw 1; } };`, { code: 'hook_failed' }],
  [
    'rejects on the side',
    `Promise.reject(new Error('on the side')); await new Promise(() => {});`,
    { code: 'hook_failed', message: 'on the side' },
  ],
  [
    'throws in a timer',
    `setTimeout(() => { throw new Error('in a timer'); }, 1); await new Promise(() => {});`,
    { code: 'hook_failed', message: 'in a timer' },
  ],
  [
    'ends its process',
    `process.exit(0);`,
    { code: 'plugin_crashed', message: 'It ended without an answer: exit code 0.' },
  ],
  [
    'ends its process later',
    `console.error('last words'); setTimeout(() => process.exit(3), 1); await new Promise(() => {});`,
    { code: 'plugin_crashed', message: 'It ended without an answer: exit code 3.', evidence: ['last words'] },
  ],
  ['crashes natively', `process.abort();`, { code: 'plugin_crashed', message: 'It ended without an answer: SIGABRT.' }],
  [
    'fills the heap',
    `const all = []; for (;;) all.push(new Array(1000).fill(all.length));`,
    { code: 'plugin_out_of_memory' },
  ],
  [
    'fills the memory with buffers',
    `const all = []; for (;;) { all.push(Buffer.alloc(8 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 5)); }`,
    { code: 'plugin_out_of_memory' },
  ],
  [
    'writes what is no message',
    `(await import('node:fs')).writeSync(3, 'garbage\\n'); await new Promise(() => {});`,
    { code: 'hook_failed', message: 'It sent what is no message of a plugin.' },
  ],
  [
    'logs at a level that is none',
    `context.log('loud', 'x'); await new Promise(() => {});`,
    { code: 'hook_failed', evidence: expect.arrayContaining([expect.stringContaining('at level')]) },
  ],
  [
    'nests too deeply',
    `(await import('node:fs')).writeSync(3, '{"type":"output","name":"x","value":' + '['.repeat(2e5) + ']'.repeat(2e5) + '}\\n'); await new Promise(() => {});`,
    { code: 'hook_failed' },
  ],
  ['asks without end', `for (;;) context.secret('x').catch(() => {});`, { code: 'plugin_flooded' }],
];

describe('a plugin that misbehaves', () => {
  it.each(FAILING)('fails its own hook when it %s', async (_, body, failure) => {
    const { outcome } = await ran(body);
    expect(outcome).toMatchObject(failure);
    expect(outcome).toMatchObject({ plugin: { name: 'probe' } });
  });

  it('is ended when it is in an endless loop and the hook is aborted', async () => {
    const deadline = new AbortController();
    const reason = new DeployError('hook_timeout');
    const context = {
      ...fakeContext('post_deploy', { signal: deadline.signal }),
      log: () => deadline.abort(reason),
    };
    const body = `context.log('info', 'loops'); for (;;);`;
    const outcome = await runOutside(folder.path, body, 'post_deploy', context);
    expect(outcome).toBe(reason);
  });

  it.each([
    ['throws late', `setTimeout(() => { throw new Error('late'); });`],
    ['leaves a timer and a socket', `setInterval(() => {}, 10); (await import('node:net')).createServer().listen(0);`],
    [
      'answers twice',
      `(await import('node:fs')).writeSync(3, '{"type":"done"}\\n{"type":"failed","failure":{"kind":"invalid","message":"x"}}\\n'); await new Promise(() => {});`,
    ],
  ])('has passed all the same when it %s', async (_, body) => {
    expect((await ran(body)).outcome).toBe('passed');
  });
});

describe('a plugin that floods', () => {
  const FLOODS = [
    ['by log', `for (let line = 0; line < 1e6; line++) context.log('info', 'x'.repeat(1000));`],
    ['by stdout', `const line = 'x'.repeat(1000); for (let count = 0; count < 1e6; count++) console.log(line);`],
    [
      'by stderr without a line end',
      `for (let count = 0; count < 1e3; count++) process.stderr.write('x'.repeat(1e6));`,
    ],
    ['by one message', `context.log('info', 'x'.repeat(2e7));`],
    [
      'by a message without an end',
      `const { writeSync } = await import('node:fs'); const part = Buffer.alloc(1e6, 'x'); for (let count = 0; count < 1e3; count++) writeSync(3, part);`,
    ],
    [
      'by empty lines',
      `const lines = '\\n'.repeat(1e6); for (let count = 0; count < 1e3; count++) process.stdout.write(lines);`,
    ],
  ] as const;

  it.each(FLOODS)('is stopped %s, and costs us little memory', async (_, body) => {
    const before = process.memoryUsage.rss();
    const { outcome, logs } = await ran(body);
    expect(outcome).toMatchObject({ code: 'plugin_flooded', plugin: { name: 'probe' } });
    expect(logs.length).toBeLessThanOrEqual(LIMITS.hook_entries);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MEGABYTES);
  });

  it('has its lines cut', async () => {
    const { outcome, logs } = await ran(`console.log('x'.repeat(100000)); context.log('info', 'y'.repeat(100000));`);
    expect(outcome).toBe('passed');
    expect(logs.map(({ message }) => message).join('')).toContain('y');
    for (const { message } of logs) expect(message.length).toBeLessThanOrEqual(LIMITS.unmasked_length);
  });
});

describe('a plugin that reaches out', () => {
  const REFUSED = [
    ['files of others', `(await import('node:fs')).readFileSync('/etc/passwd')`],
    ['environments of others', `(await import('node:fs')).readFileSync('/proc/' + process.ppid + '/environ')`],
    ['writing', `(await import('node:fs')).writeFileSync('out.txt', 'x')`],
    ['databases', `new (process.getBuiltinModule('node:sqlite').DatabaseSync)('out.db')`],
    ['children', `(await import('node:child_process')).spawn('true')`],
    ['another program', `process.execve('/bin/true', ['true'], {})`],
    ['workers', `new (await import('node:worker_threads')).Worker('1', { eval: true })`],
    ['native code', `process.dlopen({ exports: {} }, '/lib/x.node')`],
    ['WASI', `new (await import('node:wasi')).WASI({ version: 'preview1' })`],
    ['a debugger', `(await import('node:inspector')).open(0)`],
    ['signals', `process.kill(process.ppid, 0)`],
  ] as const;

  it('is refused all of it', async () => {
    const attempts = REFUSED.map(
      ([name, code]) =>
        `await (async () => ${code})().then(() => context.log('warn', '${name}'), () => context.log('info', '${name}'));`,
    );
    const { logs, outcome } = await ran(attempts.join('\n'));
    expect(outcome).toBe('passed');
    expect(logs).toEqual(REFUSED.map(([name]) => ({ level: 'info', message: name })));
    expect(existsSync(join(folder.path, 'out.txt'))).toBe(false);
  });

  it('finds nothing in its environment', async () => {
    const { logs } = await ran(`context.log('info', JSON.stringify(process.env));`);
    expect(logs).toEqual([{ level: 'info', message: '{}' }]);
  });

  it('may read the workspace of its run', async () => {
    await using workspace = await sourceFolder({ Dockerfile: 'FROM scratch' });
    const context = fakeContext('pre_build', { workspace });
    const body = `context.log('info', (await import('node:fs')).readFileSync(context.workspace.folder + '/Dockerfile', 'utf8'));`;
    expect(await runOutside(folder.path, body, 'pre_build', context)).toBe('passed');
    expect(context.recorded.logs).toEqual([{ level: 'info', message: 'FROM scratch' }]);
  });

  it('changes nothing here by what it changes there', async () => {
    const { outputs, outcome } = await ran(`
      const { writeSync } = await import('node:fs');
      Object.prototype.polluted = true;
      JSON.stringify = () => 'garbage';
      Array.prototype.push = () => { throw new Error('patched'); };
      writeSync(3, '{"type":"output","name":"x","value":{"__proto__":{"polluted":true}}}\\n');`);
    expect(outcome).toBe('passed');
    expect(outputs).toEqual({ x: {} });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('gets a context that it cannot change', async () => {
    const { outcome } = await ran(`context.deployment.app_name = 'other';`);
    expect(outcome).toMatchObject({ code: 'hook_failed', message: expect.stringContaining('read only') });
  });
});
