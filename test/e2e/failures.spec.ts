/** Whatever goes wrong, the deployment says what, where and why, and leaves things as they were. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { ErrorCode } from '../../src/domain/errors.js';
import { isFinal, type Phase } from '../../src/domain/phases.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { isRunning } from '../support/processes.js';
import { file, tar } from '../support/tar.js';
import { freePort, startTestRegistry, type TestRegistry } from '../support/test-registry.js';
import { trafficApp } from '../support/traffic-app.js';
import { until } from '../support/until.js';
import { lines, QUICK_CHECK, serving, shell } from '../support/web-apps.js';
import { NOTHING, Workbench } from '../support/workbench.js';

/** Stands in the command line of the build's process, wherever that runs. */
const MARK = `mark-${randomBytes(6).toString('hex')}`;
const NODE_503 =
  "require('http').createServer((_, answer) => { answer.statusCode = 503; answer.end('no database'); }).listen(80)";
/** Healthy until it has answered its first checks, and never again. */
const FALLS_ILL =
  "let asked = 0; require('http').createServer((_, answer) => { answer.statusCode = ++asked > 5 ? 503 : 200; answer.end('fallen ill'); }).listen(80)";
/** Healthy until it ends: its probes fail before Swarm tells that it is over. */
const DIES =
  "require('http').createServer((_, answer) => answer.end('well')).listen(80); setTimeout(() => { console.log('farewell'); process.exit(6); }, 8000)";
const DIES_SOON = {
  image: 'node:24',
  command: ['node', '-e', DIES],
  health_check: { ...QUICK_CHECK, interval_ms: 100, bake_ms: 20_000 },
};
const ILL_SOON = {
  image: 'node:24',
  command: ['node', '-e', FALLS_ILL],
  health_check: { ...QUICK_CHECK, bake_ms: 20_000 },
};
const LITTLE_MEMORY = { memory_limit_mb: 96 };
/** Takes more than it may at its start, so that it is never healthy. */
const HUNGRY = { ...trafficApp({ version: 'second', memory_hog_mb: 512 }), resources: LITTLE_MEMORY };
/** Healthy until it has answered some checks; then it takes more than it may. */
const GROWS = `let asked = 0;
const kept = [];
require('http').createServer((_, answer) => {
  answer.end('well');
  if (++asked === 30) console.log('growing');
  while (asked >= 30) kept.push(Buffer.alloc(1 << 20, 1));
}).listen(80);`;
const GROWS_SOON = {
  image: 'node:24',
  command: ['node', '-e', GROWS],
  resources: LITTLE_MEMORY,
  health_check: { ...QUICK_CHECK, bake_ms: 20_000 },
};
/** Nobody looks whether there is room, until Swarm does. */
const HUGE = { resources: { memory_reservation_mb: 16_777_216 } };
const ALWAYS_503 = {
  image: 'node:24',
  command: ['node', '-e', NODE_503],
  health_check: { ...QUICK_CHECK, deadline_ms: 2_000 },
};

let bench: Workbench;
let registry: TestRegistry;
let holder: Server;
let port: number;

beforeAll(async () => {
  registry = await startTestRegistry({ open: true });
  holder = createServer().listen(0, '0.0.0.0');
  port = await freePort();
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '8' });
  await startAll();
});
afterAll(async () => {
  await bench.clear();
  holder.close();
  await registry.stop();
});

async function startAll(): Promise<void> {
  const built = (...text: string[]) => tar(file('Dockerfile', lines(...text)));
  const sh = (script: string) => ({ image: 'busybox:1', command: shell(script) });

  bench.start('slow', {
    source: { dockerfile: lines('FROM busybox:1', `RUN sleep 60; echo ${MARK}`) },
    timeout_seconds: 10,
  });
  bench.start('build', {}, built('FROM busybox:1', 'RUN echo looking for the compiler; exit 7'));
  bench.start('syntax', {}, built('FROM busybox:1', 'COPPY a b'));
  bench.start('crash', { ...sh('echo to stdout; echo to stderr >&2; exit 3'), replicas: 2 });
  bench.start('later', sh('echo up for a second; sleep 1; exit 4'));
  bench.start('dies', DIES_SOON);
  bench.start('command', { image: 'busybox:1', command: ['/no/such/program', '--flag'] });
  bench.start('missing', { image: `${registry.host}/nobody/nothing:1` });
  bench.start(
    'sick',
    {},
    built(
      'FROM busybox:1',
      'HEALTHCHECK --interval=1s --timeout=1s --retries=2 CMD echo still not ready; exit 1',
      'CMD ["sleep", "1000"]',
    ),
  );
  bench.start('http', ALWAYS_503);
  bench.start('deaf', {
    ...sh('echo listening nowhere; exec sleep 1000'),
    health_check: { ...QUICK_CHECK, path: undefined, deadline_ms: 2_000 },
  });
  bench.start('huge', { ...serving('never'), ...HUGE });
  bench.start('taken', {
    ...serving('never'),
    ports: [{ container_port: 80, host_port: (holder.address() as AddressInfo).port }],
  });

  const holding = { ...serving('the holder'), ports: [{ container_port: 80, host_port: port }] };
  bench.start('holder', holding);
  bench.start('good', { ...serving('first'), replicas: 2 });
  const others = ['unhealthy', 'kept', 'ill', 'hungry', 'grows', 'homeless'];
  for (const name of others) bench.start(name, serving('first'));
  const names = ['holder', 'good', ...others];
  await Promise.all(names.map(async (name) => expect(await bench.ended(name)).toMatchObject({ status: 'success' })));
}

/** Every entry of a failed deployment is as valid as those of a good one, and an error is among them. */
async function expectFailure(
  view: DeploymentView,
  [failed_phase, code]: readonly [Phase, ErrorCode],
  message: RegExp,
  evidence: RegExp = /^/,
): Promise<void> {
  expect(view).toMatchObject({
    status: 'failed',
    failed_phase,
    error: { code, message: expect.stringMatching(message) },
    phases: { [failed_phase]: { status: 'failed', error: { code } } },
    finished_at: expect.any(String),
  });
  expect(view.error?.evidence?.join('\n') ?? '').toMatch(evidence);
  expect(view.links).not.toHaveProperty('cancel');
  const entries = await bench.client.entries(view.deployment_id);
  for (const entry of entries) await assertValidEntry(entry);
  expect(entries.at(-1)).toMatchObject({
    level: 'error',
    flukedeploy_metadata: { event_type: 'deploy_error', status: 'failed', error_code: code },
  });
  expect(entries.map(({ flukedeploy_metadata: { stack } }) => stack).filter(Boolean)).toEqual([]);
}

/** Containers stop in their own time; everything else must be gone when the deployment has ended. */
async function expectNothingLeft(name: string): Promise<void> {
  await until(async () => (await bench.remainsOf(name)).containers.length === 0, `no container of ${name}`, 20_000);
  expect(await bench.remainsOf(name)).toEqual(NOTHING);
}

describe('a first deployment that fails', () => {
  const failures: [app: string, why: string, what: readonly [Phase, ErrorCode], message: RegExp, evidence: RegExp][] = [
    ['build', 'a command of the build fails', ['build', 'build_failed'], /7/, /looking for the compiler/],
    ['syntax', 'the Dockerfile has a mistake', ['pre_build', 'dockerfile_invalid'], /line 2.*COPPY/, /^Dockerfile:2: /],
    ['missing', 'its image does not exist', ['build', 'image_not_found'], /nobody\/nothing:1/, /^$/],
    ['crash', 'it crashes at once', ['deploy', 'container_crashed'], /code 3/, /^(?=[^]*to stdout)(?=[^]*to stderr)/],
    ['later', 'it crashes after a second', ['deploy', 'container_crashed'], /code 4/, /up for a second/],
    ['dies', 'it ends after it was healthy', ['post_deploy', 'container_crashed'], /code 6/, /farewell/],
    ['command', 'its command does not exist', ['deploy', 'command_not_found'], /\/no\/such\/program/, /./],
    ['sick', 'its HEALTHCHECK never passes', ['deploy', 'unhealthy'], /still not ready/, /^$/],
    ['taken', 'a program outside of Docker has its port', ['deploy', 'port_in_use'], /\d+ is in use/, /^$/],
    ['http', 'it answers 503', ['deploy', 'health_check_failed'], /^0 of 1 .* 2 s/, /replica 1: HTTP 503: no database/],
    ['deaf', 'it listens to no port', ['deploy', 'health_check_failed'], /^0 of 1/, /replica 1: .*ECONNREFUSED.*:80/],
    ['huge', 'it reserves more than there is', ['pre_deploy', 'capacity_insufficient'], /16777216 MB/, /16777216 MB/],
    ['slow', 'it takes too long', ['build', 'deployment_timeout'], /longer than it may/, /^$/],
  ];

  it.each(failures)('%s: %s', async (name, _, what, message, evidence) => {
    const view = await bench.ended(name);
    await expectFailure(view, what, message, evidence);
    await expectNothingLeft(name);
  });

  it('takes its build with it when its time is up', async () => {
    const view = await bench.ended('slow');
    expect(view.duration_ms).toBeLessThan(30_000);
    await until(async () => !(await isRunning(MARK)), 'the process of the build has ended', 5_000);
  });

  it('publishes a port of another app: that one is named, and stays', async () => {
    const view = await bench.client.run({
      app_name: bench.app('thief'),
      ...serving('the thief'),
      ports: [{ container_port: 80, host_port: port }],
    });
    await expectFailure(view, ['pre_deploy', 'port_in_use'], new RegExp(`${port}/tcp .*${bench.app('holder')}`));
    await expectNothingLeft('thief');
    expect((await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim()).toBe('the holder');
  });
});

describe('a second deployment that fails', () => {
  /** Swarm runs the first deployment again, with the same image. */
  async function expectFirstServes(name: string, running: number): Promise<void> {
    const first = await bench.ended(name);
    const app = bench.app(name);
    await until(async () => (await bench.swarm.service(app))?.running === running, `${name} has its replicas`, 20_000);
    expect(await bench.swarm.service(app)).toEqual({ image: first.image, deployment: first.deployment_id, running });
    // The container of the second one may still be on its way out.
    await until(async () => (await bench.swarm.get('/', app)).trim() === 'first', `${name} serves`, 20_000);
  }

  /** The first deployment serves, and nothing else is there of the app. */
  async function expectOnlyFirst(name: string): Promise<void> {
    await expectFirstServes(name, 1);
    const alone = async () => (await bench.remainsOf(name)).containers.length === 1;
    await until(alone, `only the first container of ${name}`, 20_000);
    const { deployment_id: service } = await bench.ended(name);
    expect(await bench.remainsOf(name)).toEqual({ ...NOTHING, service, containers: [expect.any(String)] });
    expect(await bench.swarm.services(bench.app(name))).toHaveLength(1);
  }

  /** The second one has never got a request, so that there was nothing to roll back. */
  async function expectUntouched(name: string, second: DeploymentView): Promise<void> {
    for (const field of ['has_served', 'rolled_back_by']) expect(second).not.toHaveProperty(field);
    await expectOnlyFirst(name);
  }

  /** Once it has served and failed, a deployment of its own brings the first one back. */
  async function expectRolledBack(failed: DeploymentView, name: string, reason: string): Promise<DeploymentView> {
    const view = await bench.client.rolledBack(failed.deployment_id);
    const rollback = await bench.client.ended(view.rolled_back_by ?? '');
    expect(rollback).toMatchObject({
      status: 'success',
      rollback_of: failed.deployment_id,
      actor: 'auto-rollback',
      image: (await bench.ended(name)).image,
      reason: expect.stringContaining(reason),
    });
    return rollback;
  }

  it('because it crashes leaves the first one serving', async () => {
    const dockerfile = lines('FROM busybox:1', 'CMD ["sh", "-c", "echo second is broken; exit 5"]');
    const view = await bench.client.run({ app_name: bench.app('good'), source: { dockerfile }, command: [] });
    await expectFailure(view, ['deploy', 'container_crashed'], /code 5/, /second is broken/);
    await expectFirstServes('good', 2);
    expect(await bench.remainsOf('good')).toMatchObject({ images: [], workspaces: [], archive_pieces: 0 });
  });

  it('because it is not healthy leaves the first one serving', async () => {
    const view = await bench.client.run({ app_name: bench.app('unhealthy'), ...ALWAYS_503 });
    await expectFailure(view, ['deploy', 'health_check_failed'], /^0 of 1/, /HTTP 503/);
    await expectFirstServes('unhealthy', 1);
    expect(view).not.toHaveProperty('rolled_back_by');
  });

  it('because it needs more memory than it may leaves the first one serving', async () => {
    const view = await bench.client.run({ app_name: bench.app('hungry'), ...HUNGRY });
    await expectFailure(view, ['deploy', 'out_of_memory'], /more memory than it may/);
    await expectUntouched('hungry', view);
  });

  it('because no node fits it leaves the first one serving', async () => {
    const order = { app_name: bench.app('homeless'), ...serving('never'), ...HUGE, validation_level: 'none' };
    const view = await bench.client.run(order);
    await expectFailure(view, ['deploy', 'no_suitable_node'], /insufficient resources/);
    await expectUntouched('homeless', view);
  });

  it('because it takes too much memory while it serves is rolled back', async () => {
    const failed = await bench.client.run({ app_name: bench.app('grows'), ...GROWS_SOON });
    expect(failed).toMatchObject({
      has_served: true,
      failed_phase: 'post_deploy',
      error: { code: 'out_of_memory', evidence: expect.arrayContaining([expect.stringContaining('growing')]) },
    });
    await expectRolledBack(failed, 'grows', 'more memory');
    await expectOnlyFirst('grows');
  });

  it('while it serves is rolled back by a deployment of its own', async () => {
    const failed = await bench.client.run({ app_name: bench.app('ill'), ...ILL_SOON });
    expect(failed).toMatchObject({ failed_phase: 'post_deploy', error: { code: 'health_check_failed' } });
    const rollback = await expectRolledBack(failed, 'ill', 'healthy');
    await expectFirstServes('ill', 1);
    const messages = (await bench.client.entries(failed.deployment_id)).map(({ message }) => message);
    expect(messages.slice(-3)).toEqual([
      expect.stringMatching(/^Deployment failed in post_deploy/),
      expect.stringMatching(new RegExp(`^Rollback to release 1 .* ordered: ${rollback.deployment_id}$`)),
      `Rolled back by ${rollback.deployment_id}`,
    ]);
  });

  it('does not change the configuration of the app', async () => {
    await Promise.all([bench.ended('good')]);
    const again = { app_name: bench.app('good'), ...serving('third') };
    expect(await bench.client.run(again)).toMatchObject({ status: 'success', replicas: 2 });
  });

  it('without auto_rollback stays where it is', async () => {
    const archive = tar(
      file('Dockerfile', lines('FROM node:24', 'COPY server.js /', 'CMD ["node", "/server.js"]')),
      file('server.js', FALLS_ILL),
    );
    const view = await bench.client.run(
      { app_name: bench.app('kept'), auto_rollback: false, command: [], health_check: ILL_SOON.health_check },
      archive,
    );
    await expectFailure(view, ['post_deploy', 'health_check_failed'], /no longer/, /HTTP 503/);
    const app = bench.app('kept');
    expect(await bench.swarm.service(app)).toEqual({ image: view.image, deployment: view.deployment_id, running: 1 });
    expect(await bench.swarm.get('/', app)).toBe('fallen ill');
    // What runs keeps the name by which it can be found.
    expect(await bench.swarm.images()).toContainEqual(expect.stringContaining(view.deployment_id));
  });
});

it('every deployment of this file has ended', async () => {
  const { body } = await bench.client.request<{ deployments: DeploymentView[] }>('GET', '/api/v1/deployments/active');
  expect(body.deployments.filter(({ status }) => !isFinal(status))).toEqual([]);
  expect(await bench.swarm.service(bench.app('holder'))).toMatchObject({ running: 1 });
});
