/** The plugins that come with FlukeDeploy, on the real Swarm: what each finds, and what it stops. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { FlukeDeployEventType } from '../../src/domain/log-entry.js';
import type { DeploymentView, HookResultView } from '../../src/modules/deployments/deployment.view.js';
import type { PluginListView } from '../../src/modules/plugins/plugin.view.js';
import { file, tar } from '../support/tar.js';
import { until } from '../support/until.js';
import { lines, serving, shell } from '../support/web-apps.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import { Workbench } from '../support/workbench.js';

const SIGNING_SECRET = `whsec_${Buffer.from('a secret of thirty-two characters').toString('base64')}`;
/** In two parts, so that nobody takes it for a real one. */
const LEAKED = `ghp_${['aB3dE6gH9jK2mN5pQ8', 'sT1vW4xY7zA0bC3dE6'].join('')}`;

let bench: Workbench;
let hooks: WebhookReceiver;
let folder: string;

const dockerfile = (...more: string[]) =>
  lines('FROM busybox:1', ...more, 'USER 1000', 'EXPOSE 80', 'CMD ["httpd", "-f", "-p", "80", "-h", "/www"]');
/** What the plugin's hook ended with. */
const resultOf = ({ hooks: results = [] }: DeploymentView, plugin: string): HookResultView | undefined =>
  results.find((result) => result.plugin === plugin);

beforeAll(async () => {
  hooks = await WebhookReceiver.start(500);
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-plugins-'));
  const config = join(folder, 'plugins.json');
  const target = { name: 'team', type: 'webhook', url: hooks.url, secret_name: 'SIGNING_SECRET' };
  await writeFile(
    config,
    JSON.stringify({
      plugins: [{ name: 'notify', options: { targets: [target] }, locked: true }],
      secrets: { SIGNING_SECRET },
    }),
  );
  bench = await Workbench.set({
    FLUKEDEPLOY_CONCURRENCY: '6',
    FLUKEDEPLOY_PLUGIN_CONFIG: config,
    NOTIFY_ALLOWED_HOSTS: '127.0.0.1',
  });
  startAll();
});
afterAll(async () => {
  await bench.clear();
  await hooks.stop();
  await rm(folder, { recursive: true });
});

function startAll(): void {
  const leaking = tar(
    file('Dockerfile', dockerfile('ADD https://example.com/a.tar /a', 'COPY . /www')),
    file('package.json', JSON.stringify({ name: 'app', dependencies: { express: '5.0.0' } })),
    file('settings.js', `export const token = '${LEAKED}';\n`),
  );
  const quick = { ...serving('tested'), env: { COLOUR: 'green' } };
  const release = (command: string[]) => ({ plugins: [{ name: 'release-command', options: { command } }] });
  bench.start('advised', { port: 0 }, leaking);
  bench.start('strict', { validation_level: 'strict' }, leaking);
  bench.start('root', { ...serving('as root'), validation_level: 'strict' });
  bench.start('unscanned', { ...serving('unscanned'), plugins: [{ name: 'vulnerability-scan' }] });
  bench.start('required', {
    ...serving('required'),
    plugins: [{ name: 'vulnerability-scan', options: { required: true } }],
  });
  bench.start('released', { ...quick, ...release(shell('echo "migrated for $COLOUR"; test "$COLOUR" = green')) });
  bench.start('unreleased', { ...quick, ...release(shell('echo no table; exit 3')) });
  bench.start('untested', {
    ...quick,
    plugins: [
      { name: 'release-command', options: { command: shell('echo must not run') } },
      { name: 'run-tests', options: { command: shell('echo 1 of 2 failed; exit 1'), env: { CI: '1' } } },
    ],
  });
  bench.start('probed', {
    ...serving('probed'),
    replicas: 2,
    plugins: [
      { name: 'health-check', options: { checks: [{ path: '/' }, { port: 80 }], duration_ms: 500 } },
      { name: 'smoke-test', options: { requests: [{ path: '/', expect: { status: 200, body_contains: 'probed' } }] } },
    ],
  });
}

it('are listed with their hooks and the schema of their options', async () => {
  const { plugins } = (await bench.client.request<PluginListView>('GET', '/api/v1/plugins')).body;
  expect(plugins.map(({ name, enabled, hooks: rules }) => [name, enabled, Object.keys(rules).join()])).toEqual([
    ['source-check', 'by_level', 'pre_build'],
    ['secret-scan', 'by_level', 'pre_build'],
    ['cluster-check', 'by_level', 'pre_deploy'],
    ['image-policy', 'by_level', 'pre_deploy'],
    ['vulnerability-scan', 'by_level', 'pre_deploy'],
    ['run-tests', 'on_request', 'pre_deploy'],
    ['release-command', 'on_request', 'pre_deploy'],
    ['health-check', 'on_request', 'post_deploy'],
    ['smoke-test', 'on_request', 'post_deploy'],
    ['notify', 'server', ''],
  ]);
  for (const { option_schema, about, version, origin } of plugins) {
    expect(option_schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect([about, version, origin]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/^\d/), 'built-in']);
  }
});

describe('the source', () => {
  it('is advised about at basic: each finding has its code, place and hint, and the secret is nowhere', async () => {
    const view = await bench.ended('advised');
    expect(resultOf(view, 'source-check')).toMatchObject({ outcome: 'passed', findings: expect.any(Array) });
    expect(resultOf(view, 'secret-scan')).toMatchObject({
      outcome: 'warned',
      findings: [{ severity: 'error', code: 'secret_github', place: 'settings.js:1', hint: expect.any(String) }],
    });
    const places = [...(resultOf(view, 'source-check')?.findings ?? [])].map(({ code, place }) => `${code} ${place}`);
    expect(places).toEqual(expect.arrayContaining([expect.stringContaining('Dockerfile:2')]));
    expect(places).toEqual(expect.arrayContaining([expect.stringContaining('package.json')]));
    expect(JSON.stringify([view, await bench.client.entries(view.deployment_id)])).not.toContain(LEAKED.slice(8));
  });

  it('stops the deployment at strict', async () => {
    const view = await bench.ended('strict');
    expect(view).toMatchObject({ status: 'failed', failed_phase: 'pre_build', error: { plugin: 'source-check' } });
    expect(view.error?.evidence?.join('\n')).toMatch(/Dockerfile:\d/);
  });
});

describe('the image', () => {
  it('is refused at strict where it runs as root', async () => {
    expect(await bench.ended('root')).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_deploy',
      error: {
        code: 'image_rejected',
        plugin: 'image-policy',
        evidence: expect.arrayContaining([expect.stringMatching(/root/)]),
      },
    });
  });

  it('that was not scanned is not called safe', async () => {
    const view = await bench.ended('unscanned');
    expect(view.status).toBe('success');
    expect(resultOf(view, 'vulnerability-scan')?.findings).toMatchObject([{ code: 'not_scanned' }]);
    expect(await bench.ended('required')).toMatchObject({
      status: 'failed',
      error: { code: 'scanner_missing', plugin: 'vulnerability-scan', hint: expect.stringContaining('trivy') },
    });
  });
});

describe('commands in the new image', () => {
  it('run before any request, with the environment of the app, and their output is in the log', async () => {
    const view = await bench.ended('released');
    expect(view.status).toBe('success');
    expect(resultOf(view, 'release-command')).toMatchObject({ outcome: 'passed', outputs: { exit_code: 0 } });
    const messages = await bench.client.messages(view.deployment_id);
    const ran = messages.findIndex((message) => message.includes('migrated for'));
    expect(ran).toBeGreaterThan(0);
    expect(messages.slice(ran).some((message) => message.includes('All requests go to'))).toBe(true);
  });

  it('stop the deployment by their exit code, and nothing was touched', async () => {
    expect(await bench.ended('unreleased')).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_deploy',
      error: {
        code: 'release_command_failed',
        plugin: 'release-command',
        message: 'The release command ended with code 3.',
        evidence: ['no table'],
      },
    });
    expect((await bench.remainsOf('unreleased')).service).toBeUndefined();
  });

  it('tests come first: for a version that fails them nothing is changed', async () => {
    const view = await bench.ended('untested');
    expect(view).toMatchObject({ status: 'failed', error: { code: 'tests_failed', evidence: ['1 of 2 failed'] } });
    expect(resultOf(view, 'release-command')).toBeUndefined();
  });

  it('are over when the deployment is', async () => {
    const { deployment_id } = await bench.ended('unreleased');
    expect(await bench.swarm.runningJobs(deployment_id)).toEqual([]);
  });
});

describe('the new version', () => {
  it('is asked where it serves: every probe is an entry', async () => {
    const view = await bench.ended('probed');
    expect(view.status).toBe('success');
    expect([resultOf(view, 'health-check'), resultOf(view, 'smoke-test')]).toMatchObject([
      { outcome: 'passed' },
      { outcome: 'passed' },
    ]);
    const probes = (await bench.client.entries(view.deployment_id)).filter(
      ({ source }) => source.component === 'plugin/smoke-test' || source.component === 'plugin/health-check',
    );
    const probed = probes.filter(
      ({ flukedeploy_metadata: data }) => data.event_type === FlukeDeployEventType.HEALTH_CHECK,
    );
    expect(probed.length).toBeGreaterThanOrEqual(5);
    expect(probed.every(({ flukedeploy_metadata: data }) => data.healthy)).toBe(true);
  });

  it('is taken back where it does not answer as it should', async () => {
    const app_name = bench.app('probed');
    const wrong = { requests: [{ path: '/', expect: { body_contains: 'something else' }, attempts: 1 }] };
    const failed = await bench.client.run({
      app_name,
      ...serving('wrong'),
      plugins: [{ name: 'smoke-test', options: wrong }],
    });
    expect(failed).toMatchObject({
      failed_phase: 'post_deploy',
      error: { code: 'smoke_test_failed', plugin: 'smoke-test', message: expect.stringContaining('something else') },
    });
    expect(await bench.client.rolledBack(failed.deployment_id)).toMatchObject({ status: 'rolled_back' });
    expect((await bench.swarm.get('/', app_name)).trim()).toBe('probed');
  });

  it('stays where the failure is a warning only', async () => {
    const app_name = bench.app('probed');
    const options = { requests: [{ path: '/nothing', attempts: 1 }] };
    const view = await bench.client.succeed({
      app_name,
      ...serving('kept'),
      plugins: [{ name: 'smoke-test', options, on_failure: 'warn' }],
    });
    expect(resultOf(view, 'smoke-test')).toMatchObject({ outcome: 'warned', code: 'smoke_test_failed' });
  });
});

describe('what is switched on', () => {
  it.each<[string, object[], number, object]>([
    ['a name that is not there', [{ name: 'nope' }], 422, { code: 'plugin_unknown', path: 'plugins.0.name' }],
    [
      'an option that is wrong',
      [{ name: 'run-tests', options: { command: [] } }],
      422,
      { code: 'plugin_options_invalid', path: 'plugins.0.options.command' },
    ],
    [
      'the same one twice',
      [{ name: 'secret-scan' }, { name: 'secret-scan' }],
      422,
      { code: 'plugin_options_invalid', path: 'plugins.1.name' },
    ],
    ['one that the server has locked', [{ name: 'notify' }], 403, { code: 'plugin_locked', path: 'plugins.0.name' }],
    [
      'a failure that means something else',
      [{ name: 'secret-scan', on_failure: 'ignore' }],
      400,
      { code: 'invalid_field', path: 'plugins.0.on_failure' },
    ],
  ])('%s is refused, by field', async (_name, plugins, status, { code, path }: { code?: string; path?: string }) => {
    const body = { app_name: bench.app('refused'), image: 'busybox:1', plugins };
    expect(await bench.client.request('POST', '/api/v1/deploy', body)).toMatchObject({
      status,
      body: { code, errors: [{ path }] },
    });
  });

  it('for an app counts for all of its deployments', async () => {
    const app = `/api/v1/apps/${bench.app('released')}`;
    const plugins = [{ name: 'run-tests', options: { command: shell('echo tested each time') } }];
    const refused = await bench.client.request('PATCH', app, { plugins: [{ name: 'nope' }] });
    expect(refused).toMatchObject({ status: 422, body: { code: 'plugin_unknown' } });
    const change = await bench.client.request<DeploymentView>('PATCH', app, { plugins });
    expect(change.status).toBe(202);
    expect(await bench.client.ended(change.body.deployment_id)).toMatchObject({ status: 'success' });
    expect((await bench.client.request('GET', app)).body).toMatchObject({ config: { plugins } });
    const view = await bench.client.succeed({ app_name: bench.app('released'), ...serving('again') });
    expect(await bench.client.messages(view.deployment_id)).toContainEqual(expect.stringContaining('tested each time'));
  });
});

it('notify tells of every end, signed, and again where it was not heard', async () => {
  const [good, bad] = await Promise.all([bench.ended('released'), bench.ended('unreleased')]);
  const events = () => hooks.received.map(({ body }) => JSON.parse(body) as { type: string; data: DeploymentView });
  const told = (type: string, { deployment_id }: DeploymentView) =>
    events().some((event) => event.type === type && event.data.deployment_id === deployment_id);
  await until(async () => told('deployment.succeeded', good), 'the success is told', 30_000);
  await until(async () => told('deployment.failed', bad), 'the failure is told', 30_000);
  const ids = hooks.received.map(({ headers }) => headers['webhook-id']);
  await until(
    async () => ids.length < hooks.received.length || new Set(ids).size < ids.length,
    'the first one is sent again',
    30_000,
  );
  for (const { body, headers } of hooks.received) {
    expect(new Webhook(SIGNING_SECRET).verify(body, headers as Record<string, string>)).toBeTruthy();
    expect(body).not.toContain(SIGNING_SECRET);
  }
});
