/** The values of an app's environment reach its containers and nothing else: no log, no answer, frame, webhook, table or output. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../src/domain/limits.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { makeRepository, startGitServer, type GitServer } from '../support/git-server.js';
import { everythingStored } from '../support/installation-database.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { McpClient } from '../support/mcp-client.js';
import { StreamProbe } from '../support/stream-probe.js';
import { file, tar } from '../support/tar.js';
import { until } from '../support/until.js';
import { lines, QUICK_CHECK, shell } from '../support/web-apps.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import { Workbench } from '../support/workbench.js';
import { formsOf, printingForms, tracesOf } from './secrets.forms.js';

/** Unique, so that finding one anywhere means that it has leaked. */
const secret = (): string => `S3cr3t-${randomBytes(9).toString('hex')}`;
const ENV = {
  DATABASE_PASSWORD: secret(),
  PLAIN_LOOKING: `Zq9${secret()}`,
  DATABASE_URL: `postgres://app:${secret()}@db.internal:5432/app`,
  MULTI_LINE: `first ${secret()}\nsecond ${secret()}`,
  QUOTED_TOKEN: `a"b\\c ${secret()}`,
};
const GIT_TOKEN = secret();
/** What of them must not be found. */
const TRACES = tracesOf([...Object.values(ENV), GIT_TOKEN, `oauth2:${GIT_TOKEN}`]);

/** So many characters before it that most of it would be left, were the text cut before it is masked. */
const PADDINGS = [LIMITS.finding_length, LIMITS.log_line_length].map((length) => length - 21);

/** Tells all that it knows, in all the ways that a plugin has. */
const GOSSIP = `
import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({
  name: 'gossip',
  apiVersion: 1,
  hooks: {
    pre_deploy: async ({ run, log, output, report, secret }) => {
      const value = await secret('DATABASE_PASSWORD');
      const { lastLines } = await run(['sh', '-c', 'echo "run with $DATABASE_PASSWORD"']);
      log('info', lastLines.join(), { value, [value]: [value, Buffer.from(value).toString('base64')] });
      output('value', value);
      console.log(value);
      process.stderr.write(value.slice(0, 15));
      await new Promise((done) => setTimeout(done, 200));
      process.stderr.write(value.slice(15) + '\\n');
      report({ severity: 'warning', code: 'told', message: value, place: value, hint: JSON.stringify({ value }) });
      for (const padding of ${JSON.stringify(PADDINGS)}) {
        const cut = 'p'.repeat(padding) + value;
        log('info', cut);
        console.log(cut);
        report({ severity: 'warning', code: 'told', message: cut, place: cut, hint: cut });
      }
      throw new Error('told ' + value);
    },
  },
});
`;

const WRITE_ALL =
  'mkdir -p /www; printf "%s" "$DATABASE_PASSWORD|$PLAIN_LOOKING|$DATABASE_URL|$MULTI_LINE|$QUOTED_TOKEN" > /www/index.html';

const APPS = ['served', 'crash', 'forms', 'job', 'built', 'leaky', 'sick', 'gossip', 'git'];

let bench: Workbench;
let git: GitServer;
let hooks: WebhookReceiver;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-git-'));
  await makeRepository(root, 'app.git', { files: { Dockerfile: lines('FROM busybox:1', 'CMD ["sleep", "1000"]') } });
  git = await startGitServer({ root, token: GIT_TOKEN });
  hooks = await WebhookReceiver.start();
  await writeFile(join(root, 'gossip.mjs'), GOSSIP);
  bench = await Workbench.set({
    FLUKEDEPLOY_CONCURRENCY: '6',
    FLUKEDEPLOY_PLUGINS: join(root, 'gossip.mjs'),
    GIT_ALLOWED_HOSTS: git.host,
    NOTIFY_ALLOWED_HOSTS: '127.0.0.1',
  });
  const notify = { name: 'notify', options: { targets: [{ name: 'team', type: 'webhook', url: hooks.url }] } };
  bench.start('git', { source: { git: { url: `${git.url}/app.git`, token: GIT_TOKEN } }, port: 0 });
  const env = { env: ENV, plugins: [notify] };
  bench.start('served', {
    ...env,
    image: 'busybox:1',
    command: shell(`${WRITE_ALL}; exec httpd -f -p 80 -h /www`),
    health_check: QUICK_CHECK,
  });
  bench.start('crash', {
    ...env,
    image: 'busybox:1',
    command: shell(
      'env; echo "password is $DATABASE_PASSWORD" >&2; echo "cannot connect to $DATABASE_URL"; printf "%s" "$PLAIN_LOOKING" | base64; exit 3',
    ),
  });
  const printing = shell(`${['DATABASE_PASSWORD', 'QUOTED_TOKEN'].map(printingForms).join('\n')}\nexit 3`);
  bench.start('forms', { ...env, image: 'busybox:1', command: printing, health_check: QUICK_CHECK });
  const idle = { ...env, image: 'busybox:1', command: ['sleep', '1000'], port: 0 };
  bench.start('job', { ...idle, plugins: [notify, { name: 'release-command', options: { command: printing } }] });
  bench.start('gossip', { ...idle, plugins: [notify, { name: 'gossip' }] });
  bench.start('built', {
    ...env,
    source: {
      dockerfile: lines(
        'FROM busybox:1',
        // Each run's own, or a later one would find the step done already and see no output.
        `RUN env; echo "${bench.app('built')} [$DATABASE_PASSWORD]"`,
        'CMD ["sleep", "1000"]',
      ),
    },
    port: 0,
  });
  bench.start(
    'leaky',
    { ...env, port: 0 },
    // A source that holds a value of the environment, and prints it while it is built.
    tar(
      file('Dockerfile', lines('FROM busybox:1', 'COPY .env /', 'RUN cat /.env; head -c 15 /.env; sleep 0.2; exit 1')),
      file('.env', formsOf(ENV.DATABASE_PASSWORD) + formsOf(ENV.QUOTED_TOKEN) + ENV.DATABASE_PASSWORD),
    ),
  );
  bench.start('sick', {
    ...env,
    source: {
      dockerfile: lines(
        'FROM busybox:1',
        'HEALTHCHECK --interval=1s --retries=2 CMD echo "login with $DATABASE_PASSWORD failed"; exit 1',
        'CMD ["sleep", "1000"]',
      ),
    },
  });
});
afterAll(async () => {
  await bench.clear();
  await git.stop();
  await hooks.stop();
  await rm(root, { recursive: true, force: true });
});

function expectNoSecretIn(what: string, text: string): void {
  const found = TRACES.filter((form) => text.includes(form));
  expect({
    what,
    found: found.map((form) => text.slice(Math.max(0, text.indexOf(form) - 80), text.indexOf(form) + 20)),
  }).toEqual({
    what,
    found: [],
  });
}

describe('environment values', () => {
  it('reach the container as they were given', async () => {
    expect(await bench.ended('served')).toMatchObject({ status: 'success' });
    expect(await bench.swarm.get('/', bench.app('served'))).toBe(Object.values(ENV).join('|'));
  });

  it('do not reach the build', async () => {
    const { deployment_id, status } = await bench.ended('built');
    expect(status).toBe('success');
    const messages = await bench.client.messages(deployment_id);
    expect(messages).toContainEqual(expect.stringMatching(/\[\]$/));
    expect(messages.join('\n')).not.toContain('DATABASE_PASSWORD=');
  });

  it.each([
    ['crash', 'deploy', 'container_crashed'],
    ['forms', 'deploy', 'container_crashed'],
    ['leaky', 'build', 'build_failed'],
    ['sick', 'deploy', 'unhealthy'],
    ['job', 'pre_deploy', 'release_command_failed'],
    ['gossip', 'pre_deploy', 'hook_failed'],
  ])('are masked where the program itself prints them: %s', async (name, failed_phase, code) => {
    const view: DeploymentView = await bench.ended(name);
    expect(view).toMatchObject({ status: 'failed', failed_phase, error: { code } });
    expect(JSON.stringify(view.error)).toContain('***');
    expectNoSecretIn('view', JSON.stringify(view));
    const entries = await bench.client.entries(view.deployment_id);
    for (const entry of entries) await assertValidEntry(entry);
    expect(JSON.stringify(entries)).toContain('***');
    expectNoSecretIn('entries', JSON.stringify(entries));
  });

  it('keep what the log needs: names, and addresses without their passwords', async () => {
    const { error } = await bench.ended('crash');
    const evidence = error?.evidence?.join('\n');
    expect(evidence).toContain('DATABASE_PASSWORD=***');
    expect(evidence).toMatch(/cannot connect to postgres:\/\/.*@db\.internal:5432\/app/);
  });
});

describe('after everything has ended, neither a value nor the token of a git repository is found', () => {
  beforeAll(() => Promise.all(APPS.map((name) => bench.ended(name))));

  it('in any answer of the API', async () => {
    const paths = [
      '/api/v1/deployments',
      '/api/v1/deployments/active',
      '/api/v1/deployments/stats',
      '/api/v1/logs?limit=10000',
      '/api/v1/audit?limit=1000',
      '/api/v1/audit?limit=1000&format=json-ld',
      `/api/v1/apps/${bench.app('crash')}/deployments`,
    ];
    for (const path of paths) {
      const { status, body } = await bench.client.request('GET', path);
      expect(status).toBe(200);
      expectNoSecretIn(path, JSON.stringify(body));
    }
  });

  it('in the answer to a mistake in the same request', async () => {
    const { status, body } = await bench.client.request('POST', '/api/v1/deploy', {
      app_name: bench.app('refused'),
      image: 'busybox:1',
      env: { ...ENV, 'BAD NAME': ENV.DATABASE_PASSWORD },
    });
    expect(status).toBe(400);
    expectNoSecretIn('problem', JSON.stringify(body));
  });

  it('in any answer of a tool, resource or prompt of MCP, or on the way there', async () => {
    const agent = await McpClient.connect(bench.installation.server.url, bench.client.token);
    for (const name of APPS) {
      const app_name = bench.app(name);
      const { deployment_id } = await bench.ended(name);
      const uri = `flukedeploy://deployments/${deployment_id}`;
      const heard: string[] = [];
      const onprogress = ({ message = '' }) => void heard.push(message);
      const order = { app_name, image: 'busybox:1', env: ENV };
      const answers = [
        await agent.call('deploy_status', { deployment_id, response_format: 'detailed' }),
        await agent.call('deploy_logs', { deployment_id, response_format: 'detailed', limit: 500 }),
        await agent.call('deploy_logs', { deployment_id, follow: true }, { onprogress }),
        await agent.call('deploy_history', { app_name, response_format: 'detailed' }),
        await agent.call('deploy_rollback', { app_name, release: 99 }),
        await agent.call('deploy_validate', { ...order, replicas: -1 }),
        await agent.call('deploy_app', { ...order, env: { ...ENV, 'BAD NAME': ENV.DATABASE_PASSWORD } }),
        ...(name === 'crash' ? [await agent.call('deploy_app', { ...order, dry_run: true })] : []),
        await agent.client.readResource({ uri }),
        await agent.client.readResource({ uri: `${uri}/log` }),
        await agent.client.getPrompt({ name: 'diagnose_failed_deployment', arguments: { deployment_id } }),
      ];
      expect(heard.length).toBeGreaterThan(5);
      expectNoSecretIn(`MCP: ${name}`, JSON.stringify([answers, heard]));
    }
    expectNoSecretIn('MCP: list', JSON.stringify(await agent.client.listResources()));
    await agent.close();
  });

  it('in any frame of the log stream', async () => {
    const probe = await StreamProbe.subscribed(bench.installation.server.streamUrl, { since: 'beginning' });
    await until(async () => probe.frames.some(({ type }) => type === 'live'), 'all has been replayed');
    probe.cut();
    expect(probe.frames.length).toBeGreaterThan(100);
    expectNoSecretIn('frames', JSON.stringify(probe.frames));
  });

  it('in any webhook', async () => {
    const told = APPS.filter((name) => name !== 'git');
    await until(async () => hooks.received.length >= told.length, 'every end is told', 30_000);
    expectNoSecretIn('webhooks', JSON.stringify(hooks.received));
  });

  it('in any row of the database', async () => {
    await bench.database(async (database) => {
      const rows = await everythingStored(database);
      const naming = rows.filter(({ row }) => row.includes('DATABASE_PASSWORD'));
      expect(new Set(naming.map(({ table }) => table))).toEqual(
        new Set(['apps', 'deployments', 'entries', 'releases']),
      );
      expect(rows.filter(({ table }) => table === 'audit').length).toBeGreaterThan(APPS.length);
      for (const { table, row } of rows) expectNoSecretIn(table, row);
    });
  });

  it('in what the server printed', () => {
    expectNoSecretIn('output', bench.installation.server.output.join('\n'));
  });
});
