/** Plugins of others, on a running server: from a folder and from a package, good ones, and such as wish it harm. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import type { PluginListView } from '../../src/modules/plugins/plugin.view.js';
import { file, tar } from '../support/tar.js';
import { until } from '../support/until.js';
import { DOCKERFILE_SERVING_A_FILE, lines, QUICK_CHECK, serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const run = promisify(execFile);

/** TypeScript as its author wrote it: it counts the files of the source, and finds its own outputs again after the deploy. */
const COUNTER = `
import { readdir } from 'node:fs/promises';
import { definePlugin, z } from 'flukedeploy/plugin';

type Count = { files: number };

export default definePlugin({
  name: 'file-count',
  apiVersion: 1,
  about: 'Counts the files of the source.',
  options: z.strictObject({ most: z.number().int().positive().default(10), page: z.string().default('/') }),
  hooks: {
    pre_build: async ({ workspace, options, output, report }) => {
      const count: Count = { files: (await readdir(workspace.folder)).length };
      output('files', count.files);
      if (count.files > options.most)
        report({ severity: 'error', code: 'too_many_files', message: \`There are \${count.files} files.\`, place: '.', hint: 'Remove some.' });
    },
    pre_deploy: async ({ run, log, image }) => {
      const { exitCode, lastLines } = await run(['sh', '-c', 'echo "from $FROM in $COLOUR"'], { env: { FROM: 'inside' } });
      const once = async () => (await run(['cat', '/proc/sys/kernel/random/uuid'])).lastLines.join();
      const ids = await Promise.all([once(), once()]);
      log('info', \`the same call has run \${new Set(ids).size} time\`);
      log('info', \`the container said \${lastLines.join()} and ended with \${exitCode}; \${image.digest.slice(0, 7)}\`);
    },
    post_deploy: async ({ fetch, connect, service, options, outputs, secret, log }) => {
      const { status, body } = await fetch(options.page);
      const { accepted } = await connect(80);
      const counted = outputs['file-count']?.['files'];
      log('info', \`\${service.tasks.length} replica answers \${status} \${body.trim()}, port open: \${accepted}, files: \${counted}\`);
      log('info', \`the secret is \${await secret('API_KEY')}\`);
    },
  },
});
`;

/** Each hook as a body of JavaScript, by the name of its plugin. */
const HOSTILE: Readonly<Record<string, string>> = {
  throws: `throw new Error('out of spite');`,
  'rejects-late': `setTimeout(() => Promise.reject(new Error('too late to catch')), 50); await new Promise((done) => setTimeout(done, 5_000));`,
  loops: `for (;;);`,
  floods: `for (;;) context.log('info', 'x'.repeat(10_000));`,
  'floods-stdout': `for (;;) process.stdout.write('y'.repeat(1_000_000) + '\\n');`,
  exits: `process.exit(0);`,
  aborts: `process.abort();`,
  grows: `const all = []; for (;;) { all.push(Buffer.alloc(10_000_000, 1)); await new Promise((done) => setTimeout(done, 1)); }`,
  spies: `const { readFileSync } = await import('node:fs'); readFileSync('/etc/passwd');`,
  leaks: `setInterval(() => undefined, 1_000);`,
};
const FAILURES: Readonly<Record<string, object>> = {
  throws: { code: 'hook_failed', message: expect.stringContaining('out of spite') },
  'rejects-late': { code: 'hook_failed', message: expect.stringContaining('too late to catch') },
  loops: { code: 'hook_timeout', message: expect.stringContaining('2 s') },
  floods: { code: 'plugin_flooded' },
  'floods-stdout': { code: 'plugin_flooded' },
  exits: { code: 'plugin_crashed' },
  aborts: { code: 'plugin_crashed' },
  grows: { code: 'plugin_out_of_memory' },
  spies: { code: 'hook_failed', message: expect.stringMatching(/access|permission/i) },
};

const API_KEY = 'k3y-that-nobody-may-see';
const PACKAGE = 'flukedeploy-plugin-traffic-lights';
const lights = `
import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({
  name: 'traffic-lights',
  apiVersion: 1,
  after: ['file-count'],
  options: ({ colour = 'green' }) => {
    if (!['green', 'red'].includes(colour)) throw new Error('colour must be green or red');
    return { colour };
  },
  hooks: {
    pre_build: ({ options, fail, outputs, log }) => {
      log('info', 'before me: ' + JSON.stringify(outputs));
      if (options.colour === 'red') fail('stop', 'The lights are red.', ['since this morning']);
    },
    pre_deploy: { onFailure: 'warn', run: ({ options, fail }) => options.colour === 'red' || fail('yellow', 'Nearly red.') },
    post_deploy: { timeoutSeconds: 30, run: async ({ signal, log, deployment }) => {
      if (deployment.reason !== 'wait in the hook') return;
      log('info', 'I wait');
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('I was stopped'))));
    } },
  },
});
`;

let folder: string;
let bench: Workbench;

async function plugin(name: string, text: string, entry = 'plugin.js'): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  await writeFile(
    join(path, 'package.json'),
    JSON.stringify({ name, version: '1.2.3', type: 'module', exports: `./${entry}` }),
  );
  await writeFile(join(path, entry), text);
  return path;
}

/** As npm installs it: packed, and unpacked under node_modules. */
async function installed(name: string, text: string): Promise<void> {
  const source = await plugin(name, text, 'index.js');
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source });
  const target = join(folder, 'data', 'plugins', 'node_modules', name);
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(folder, stdout.trim()), '--strip-components=1', '-C', target]);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-external-'));
  // The private PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  await installed(PACKAGE, lights);
  const folders = [await plugin('file-count', COUNTER, 'plugin.ts')];
  for (const [name, body] of Object.entries(HOSTILE)) {
    const hook = `{ timeoutSeconds: ${name === 'loops' ? 2 : 20}, run: async (context) => { ${body} } }`;
    folders.push(
      await plugin(
        name,
        `import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({ name: '${name}', apiVersion: 1, hooks: { pre_build: ${hook} } });`,
      ),
    );
  }
  bench = await Workbench.set({
    FLUKEDEPLOY_CONCURRENCY: '6',
    FLUKEDEPLOY_PLUGINS: [PACKAGE, ...folders].join(),
    DATA_DIR: join(folder, 'data'),
  });
}, 120_000);
afterAll(async () => {
  await bench.clear();
  await rm(folder, { recursive: true, force: true });
});

const source = (text: string) =>
  tar(file('Dockerfile', lines(...DOCKERFILE_SERVING_A_FILE)), file('index.html', `${text}\n`));
const built = { health_check: QUICK_CHECK, env: { COLOUR: 'green', API_KEY } };

async function messages(view: DeploymentView, plugin: string): Promise<string[]> {
  const entries = await bench.client.entries(view.deployment_id);
  return entries.filter(({ source }) => source.component === `plugin/${plugin}`).map(({ message }) => message);
}

it('are listed behind what they name, with their version and the schema of their options', async () => {
  const { plugins } = (await bench.client.request<PluginListView>('GET', '/api/v1/plugins')).body;
  const names = plugins.filter(({ origin }) => origin === 'external').map(({ name }) => name);
  expect(names).toEqual(['file-count', 'traffic-lights', ...Object.keys(HOSTILE)]);
  expect(plugins.find(({ name }) => name === 'file-count')).toMatchObject({
    version: '1.2.3',
    about: 'Counts the files of the source.',
    enabled: 'on_request',
    option_schema: { properties: { most: { type: 'integer', default: 10 } } },
  });
  expect(plugins.find(({ name }) => name === 'traffic-lights')).not.toHaveProperty('option_schema');
});

it('see the source, run commands in the image, and ask the new version', async () => {
  const view = await bench.client.run(
    { app_name: bench.app('good'), ...built, plugins: [{ name: 'file-count' }] },
    source('hello'),
  );
  expect(view).toMatchObject({ status: 'success' });
  expect(view.hooks?.filter(({ plugin: name }) => name === 'file-count')).toMatchObject([
    { hook: 'pre_build', outcome: 'passed', outputs: { files: 2 } },
    { hook: 'pre_deploy', outcome: 'passed' },
    { hook: 'post_deploy', outcome: 'passed' },
  ]);
  expect(await messages(view, 'file-count')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^the container said from inside in green and ended with 0; sha256:/),
      'the same call has run 1 time',
      '1 replica answers 200 hello, port open: true, files: 2',
      'the secret is ***',
    ]),
  );
  expect(JSON.stringify([view, await bench.client.entries(view.deployment_id)])).not.toContain(API_KEY);
});

describe('a plugin from a package', () => {
  const lit = (colour: string) => [
    { name: 'traffic-lights', options: { colour } },
    { name: 'file-count', options: { most: 1 }, on_failure: 'warn' },
  ];

  it('runs after the one that it names, and stops the deployment with its own words', async () => {
    const view = await bench.client.run({ app_name: bench.app('red'), ...built, plugins: lit('red') }, source('red'));
    expect(view).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_build',
      error: {
        code: 'hook_failed',
        plugin: 'traffic-lights',
        plugin_code: 'stop',
        message: 'The lights are red.',
        evidence: ['since this morning'],
      },
      hooks: expect.arrayContaining([
        expect.objectContaining({ plugin: 'file-count', outcome: 'warned', code: 'too_many_files' }),
        expect.objectContaining({ plugin: 'traffic-lights', outcome: 'failed', code: 'stop' }),
      ]),
    });
    expect(await messages(view, 'traffic-lights')).toContainEqual('before me: {"file-count":{"files":2}}');
  });

  it('warns where its hook says so', async () => {
    const view = await bench.client.succeed({
      app_name: bench.app('green'),
      ...serving('green'),
      plugins: lit('green'),
    });
    expect(view.hooks).toContainEqual(
      expect.objectContaining({
        plugin: 'traffic-lights',
        hook: 'pre_deploy',
        outcome: 'warned',
        code: 'yellow',
        message: 'Nearly red.',
      }),
    );
  });

  it('refuses its options in its own words, before anything runs', async () => {
    const body = { app_name: bench.app('blue'), image: 'busybox:1', plugins: lit('blue') };
    expect(await bench.client.request('POST', '/api/v1/deploy', body)).toMatchObject({
      status: 422,
      body: {
        code: 'plugin_options_invalid',
        errors: [{ path: 'plugins.0.options', message: 'colour must be green or red' }],
      },
    });
  });

  it('is stopped by a cancel in the midst of its hook, and the version goes', async () => {
    const plugins = [{ name: 'traffic-lights' }];
    const spec = { app_name: bench.app('waits'), ...serving('waits'), plugins, reason: 'wait in the hook' };
    const { deployment_id } = await bench.client.deploy(spec);
    await until(
      async () => (await bench.client.messages(deployment_id)).some((line) => line.endsWith('I wait')),
      'it waits',
      60_000,
    );
    await bench.client.request('POST', `/api/v1/deployments/${deployment_id}/cancel`, {});
    expect(await bench.client.ended(deployment_id)).toMatchObject({ status: 'cancelled' });
    await until(async () => (await bench.swarm.running(bench.app('waits'))).length === 0, 'nothing of it runs', 30_000);
  });
});

describe('plugins that wish the server harm', () => {
  it('fail their own hook; the worker, and all other deployments, go on', async () => {
    const pid = bench.installation.server.process.pid;
    const hostile = Object.keys(HOSTILE).map(async (name) => {
      const app_name = bench.app(`evil-${name}`);
      return [
        name,
        await bench.client.run({ app_name, ...built, port: 0, plugins: [{ name }] }, source(name)),
      ] as const;
    });
    const others = [1, 2, 3].map((n) =>
      bench.client.run({ app_name: bench.app(`calm-${n}`), ...serving(`calm ${n}`) }),
    );
    for (const [name, view] of await Promise.all(hostile)) {
      const expected = FAILURES[name];
      if (expected === undefined) expect([name, view.status]).toEqual([name, 'success']);
      else
        expect([name, view]).toMatchObject([
          name,
          { status: 'failed', failed_phase: 'pre_build', error: { ...expected, plugin: name } },
        ]);
    }
    for (const view of await Promise.all(others)) expect(view.status).toBe('success');
    expect(bench.installation.server.process.pid).toBe(pid);
    expect((await bench.client.request('GET', '/health/ready')).status).toBe(200);
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const names = await Promise.all(
      children
        .trim()
        .split(' ')
        .filter(Boolean)
        .map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
    );
    expect(names.filter((command) => command.includes('host.process'))).toEqual([]);
  }, 180_000);
});
