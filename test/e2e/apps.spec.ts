/** Apps between deployments: scaled, configured anew, restarted, rolled back, removed. Each change is a deployment like any other. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FlukeDeployEventType, type UnifiedLogEntry } from '../../src/domain/log-entry.js';
import type { AppListView, AppView } from '../../src/modules/apps/app.view.js';
import type { DifferencesView, ReleaseListView } from '../../src/modules/apps/release.view.js';
import type { RemovedAppView } from '../../src/modules/apps/removed-app.view.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import type { Answer } from '../support/client.js';
import { until } from '../support/until.js';
import { lines, QUICK_CHECK, serving, shell } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

/** Serves its environment and its secrets. */
const TELLING = {
  image: 'busybox:1',
  command: shell('mkdir /www; (env; cat /run/secrets/*) > /www/index.html; exec httpd -f -p 80 -h /www'),
  health_check: QUICK_CHECK,
};
const SECRET = 'a-secret-that-nobody-sees-4711';

let bench: Workbench;

beforeAll(async () => {
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '8' });
  bench.start('scale', serving('scaled'));
  bench.start('config', { ...TELLING, env: { A: '1', B: '2' }, secrets: { KEY: SECRET } });
  bench.start('restart', serving('again'));
  bench.start('back', { ...TELLING, version: '1.0', env: { TEXT: 'first' }, health_check: QUICK_CHECK });
  bench.start('gone', { ...serving('gone'), volumes: [{ source: bench.app('data'), target: '/data' }] });
  bench.start('canary', serving('stable'));
  bench.start('crash', { image: 'busybox:1', command: shell('exit 3') });
  const names = ['scale', 'config', 'restart', 'back', 'gone', 'canary'];
  await Promise.all(names.map(async (name) => expect(await bench.ended(name)).toMatchObject({ status: 'success' })));
});
afterAll(() => bench.clear());

const path = (name: string, rest = '') => `/api/v1/apps/${bench.app(name)}${rest}`;

async function get<Body>(of: string): Promise<Body> {
  const { status, body } = await bench.client.request<Body>('GET', of);
  if (status !== 200) throw new Error(`${of} was answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

function ask(method: string, of: string, body?: unknown, key?: string): Promise<Answer<DeploymentView>> {
  return bench.client.request(method, of, body, key === undefined ? {} : { 'idempotency-key': key });
}

/** Asks for a change and waits for its end. */
async function change(method: string, of: string, body: unknown = {}): Promise<DeploymentView> {
  const answer = await ask(method, of, body);
  if (answer.status !== 202) throw new Error(`${of} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return bench.client.ended(answer.body.deployment_id);
}

async function eventsOf({ deployment_id }: DeploymentView, type: FlukeDeployEventType): Promise<UnifiedLogEntry[]> {
  const entries = await bench.client.entries(deployment_id);
  return entries.filter(({ flukedeploy_metadata: { event_type } }) => event_type === type);
}

async function settled(name: string, count: number): Promise<string[]> {
  const running = () => bench.swarm.running(bench.app(name));
  await until(async () => (await running()).length === count, `${name} has ${count} containers`, 30_000);
  return running();
}

const page = async (name: string) => bench.swarm.get('/', bench.app(name));

describe('scaling', () => {
  const scale = (replicas: number) => change('POST', path('scale', '/scale'), { replicas, reason: `to ${replicas}` });

  it('up and down is an event, becomes no release, and replaces no replica', async () => {
    const before = await settled('scale', 1);
    const up = await scale(3);
    expect(up).toMatchObject({ status: 'success', kind: 'scale', replicas: 3, reason: 'to 3' });
    expect(await eventsOf(up, FlukeDeployEventType.SCALE_EVENT)).toMatchObject([
      { flukedeploy_metadata: { replicas_from: 1, replicas_to: 3 } },
    ]);
    const three = await settled('scale', 3);
    expect(three).toEqual(expect.arrayContaining(before));

    expect(await scale(1)).toMatchObject({ status: 'success', replicas: 1 });
    expect(three).toEqual(expect.arrayContaining(await settled('scale', 1)));
    expect(await get<ReleaseListView>(path('scale', '/releases'))).toMatchObject({ total: 1 });
  });

  it('to 0 stops it, and back starts it again', async () => {
    const stopped = await scale(0);
    expect(stopped).toMatchObject({ status: 'success', phases: { post_deploy: { status: 'skipped' } } });
    await settled('scale', 0);
    expect(await get<AppView>(path('scale'))).toMatchObject({ config: { replicas: 0 }, live: { release: 1 } });
    expect(await scale(1)).toMatchObject({ status: 'success' });
    await settled('scale', 1);
    expect((await page('scale')).trim()).toBe('scaled');
  });

  it('under the same Idempotency-Key is one deployment', async () => {
    const first = await ask('POST', path('scale', '/scale'), { replicas: 1 }, 'scale-once');
    const second = await ask('POST', path('scale', '/scale'), { replicas: 1 }, 'scale-once');
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.deployment_id).toBe(first.body.deployment_id);
    const other = await ask('POST', path('scale', '/scale'), { replicas: 2 }, 'scale-once');
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    await bench.client.ended(first.body.deployment_id);
  });
});

describe('configuring', () => {
  it('env and secrets changes them by name, and makes new replicas', async () => {
    const before = await settled('config', 1);
    expect(await page('config')).toContain(SECRET);
    const body = { env: { A: 'one', B: null, C: '3' }, secrets: { OTHER: 'other-secret-text' } };
    const view = await change('PATCH', path('config'), body);
    expect(view).toMatchObject({ status: 'success', kind: 'config', version: '1' });
    expect(await eventsOf(view, FlukeDeployEventType.CONFIG_CHANGE)).toMatchObject([
      { flukedeploy_metadata: { config_keys: ['env', 'secrets'] } },
    ]);
    await until(async () => (await settled('config', 1))[0] !== before[0], 'the replica is a new one', 60_000);
    const text = await page('config');
    expect(text).toMatch(/^A=one$/m);
    expect(text).toMatch(/^C=3$/m);
    expect(text).not.toMatch(/^B=/m);
    expect(text).toContain(SECRET);
    expect(text).toContain('other-secret-text');
  });

  it('shows names, never values', async () => {
    const app = await get<AppView>(path('config'));
    expect(app.config).toMatchObject({ env: ['A', 'C'], secrets: ['KEY', 'OTHER'] });
    const shown = JSON.stringify([
      app,
      await get(path('config', '/releases')),
      await get(path('config', '/releases/1/diff/2')),
    ]);
    for (const secret of [SECRET, 'other-secret-text', 'enc:v1']) expect(shown).not.toContain(secret);
    const { differences } = await get<DifferencesView>(path('config', '/releases/1/diff/2'));
    expect(differences).toEqual([
      { path: 'config.env.A', change: 'changed' },
      { path: 'config.env.B', change: 'removed' },
      { path: 'config.env.C', change: 'added' },
      { path: 'config.secrets.OTHER', change: 'added' },
    ]);
  });

  it('twice in a row adds up', async () => {
    const orders = [
      await ask('PATCH', path('config'), { env: { D: '4' } }),
      await ask('PATCH', path('config'), { env: { E: '5' } }),
    ];
    for (const { body } of orders) {
      expect(await bench.client.ended(body.deployment_id)).toMatchObject({ status: 'success' });
    }
    expect((await get<AppView>(path('config'))).config?.env).toEqual(['A', 'C', 'D', 'E']);
  });

  it('cannot make more variables than an app may have', async () => {
    const env = Object.fromEntries(Array.from({ length: 499 }, (_, index) => [`N${index}`, '']));
    expect(await ask('PATCH', path('config'), { env })).toMatchObject({
      status: 400,
      body: { code: 'invalid_field', errors: [{ path: 'env', message: expect.stringContaining('at most 500') }] },
    });
  });

  it('domains replaces no replica', async () => {
    const before = await bench.swarm.running(bench.app('restart'));
    const host = `${bench.app('restart')}.example.com`;
    const view = await change('PATCH', path('restart'), { domains: [host] });
    expect(view).toMatchObject({ status: 'success', traffic: [{ role: 'stable', percent: 100 }] });
    expect(await bench.swarm.running(bench.app('restart'))).toEqual(before);
    expect(await get<AppView>(path('restart'))).toMatchObject({ hosts: [host], urls: [] });

    const taken = await ask('PATCH', path('config'), { domains: [host] });
    expect(taken).toMatchObject({ status: 409, body: { code: 'domain_taken', errors: [{ path: 'domains' }] } });
  });
});

it('restarting makes every replica a new one, and no release', async () => {
  const before = await settled('restart', 1);
  const { total } = await get<ReleaseListView>(path('restart', '/releases'));
  expect(await change('POST', path('restart', '/restart'))).toMatchObject({ status: 'success', kind: 'restart' });
  await until(async () => (await settled('restart', 1))[0] !== before[0], 'the replica is a new one', 60_000);
  expect(await get<ReleaseListView>(path('restart', '/releases'))).toMatchObject({ total });
});

describe('rolling back', () => {
  const rollback = (body: unknown = {}) => change('POST', path('back', '/rollback'), body);

  it('restores image and configuration, and keeps the replicas', async () => {
    const second = await bench.client.run({
      app_name: bench.app('back'),
      ...serving('second'),
      version: '2.0',
      env: {},
    });
    expect((await page('back')).trim()).toBe('second');
    await change('POST', path('back', '/scale'), { replicas: 2 });

    const view = await rollback({ reason: 'it was better' });
    expect(view).toMatchObject({
      status: 'success',
      kind: 'rollback',
      version: '1.0',
      replicas: 2,
      rollback_of: second.deployment_id,
      rollback_to: 1,
      reason: 'it was better',
    });
    // The service of the first release may still have been there: then it serves again, and the later one goes.
    await until(async () => /^TEXT=first$/m.test(await page('back')), 'the first release serves', 60_000);
    await settled('back', 2);
    const { releases } = await get<ReleaseListView>(path('back', '/releases'));
    expect(releases.map(({ release, version, live, origin }) => ({ release, version, live, origin }))).toEqual([
      { release: 4, version: '1.0', live: true, origin: 1 },
      { release: 2, version: '2.0', live: false, origin: 2 },
      { release: 1, version: '1.0', live: false, origin: 1 },
    ]);
    expect(await get(path('back', '/releases/4'))).toMatchObject({ live: true, config: { env: ['TEXT'] } });
    expect((await get<DifferencesView>(path('back', '/releases/1/diff/4'))).differences).toEqual([
      { path: 'config.replicas', change: 'changed', from: 1, to: 2 },
    ]);
  });

  it('refuses where there is nothing to go back to, and says which field is wrong', async () => {
    const refused = async (body: unknown, status: number, code: string, field: string) =>
      expect(await ask('POST', path('back', '/rollback'), body)).toMatchObject({
        status,
        body: { code, errors: [{ path: field }] },
      });
    await refused({}, 409, 'no_previous_release', 'release');
    await refused({ release: 1 }, 409, 'already_live', 'release');
    await refused({ version: '1.0' }, 409, 'already_live', 'version');
    await refused({ release: 3 }, 404, 'release_not_found', 'release');
    await refused({ version: '9' }, 404, 'release_not_found', 'version');
    await refused({ deployment_id: 'dep-none' }, 404, 'release_not_found', 'deployment_id');
    await refused({ release: 1, version: '1.0' }, 400, 'invalid_field', 'version');
  });

  it('forward again is possible too, by name, and once per key', async () => {
    const first = await ask('POST', path('back', '/rollback'), { version: '2.0' }, 'forward');
    expect(await bench.client.ended(first.body.deployment_id)).toMatchObject({ status: 'success', version: '2.0' });
    await until(async () => (await page('back')).trim() === 'second', 'the second release serves', 60_000);
    // It is live by now, and still the same answer.
    const again = await ask('POST', path('back', '/rollback'), { version: '2.0' }, 'forward');
    expect(again).toMatchObject({ status: 202, body: { deployment_id: first.body.deployment_id } });
  });
});

describe('a rollout under way', () => {
  const spec = (steps: unknown[]) => ({
    app_name: bench.app('canary'),
    strategy: { type: 'canary', steps, analysis: false },
  });
  const say = (id: string, word: string, body = {}) => ask('POST', `/api/v1/deployments/${id}/${word}`, body);
  const paused = ({ rollout }: DeploymentView) => rollout?.paused !== undefined;

  it('shows where the requests go, and is taken back by abort', async () => {
    const { deployment_id } = await bench.client.deploy({
      ...spec([{ set_weight: 50 }, { pause: {} }]),
      ...serving('canary'),
    });
    const view = await bench.client.until(deployment_id, paused);
    expect(view).toMatchObject({
      kind: 'deploy',
      has_served: true,
      rollout: { step: 2, of: 2, paused: { by: 'flukedeploy' } },
      traffic: [
        { role: 'stable', release: 1, percent: 50 },
        { role: 'canary', release: 2, percent: 50 },
      ],
    });
    const self = `/api/v1/deployments/${deployment_id}`;
    const { promote, resume, abort, pause } = view.links;
    expect({ promote, resume, abort, pause }).toEqual({
      promote: `${self}/promote`,
      resume: `${self}/resume`,
      abort: `${self}/abort`,
      pause: undefined,
    });
    expect(await say(deployment_id, 'abort', { reason: 'not today' })).toMatchObject({ status: 202 });
    const ended = await bench.client.until(deployment_id, ({ status }) => ['failed', 'rolled_back'].includes(status));
    expect(ended).toMatchObject({ error: { code: 'aborted', message: expect.stringContaining('not today') } });
    expect(await say(deployment_id, 'promote')).toMatchObject({ status: 409, body: { code: 'deployment_ended' } });
    await until(async () => (await page('canary')).trim() === 'stable', 'the stable version serves', 30_000);
  });

  it('is paused, resumed and promoted', async () => {
    const { deployment_id } = await bench.client.deploy({
      ...spec([{ set_weight: 50 }, { pause: { duration_seconds: 600 } }]),
      ...serving('promoted'),
    });
    await bench.client.until(deployment_id, ({ rollout }) => rollout?.step === 2);
    expect(await say(deployment_id, 'resume')).toMatchObject({ status: 409, body: { code: 'not_paused' } });
    expect((await say(deployment_id, 'pause', { reason: 'lunch' })).body).toMatchObject({
      rollout: { paused: { reason: 'lunch', by: 'admin' } },
    });
    expect((await say(deployment_id, 'resume')).body.rollout).not.toHaveProperty('paused');
    expect(await say(deployment_id, 'promote', { full: true })).toMatchObject({ status: 202 });
    expect(await bench.client.ended(deployment_id)).toMatchObject({ status: 'success' });
    expect((await page('canary')).trim()).toBe('promoted');
  });

  it('is refused where there is none', async () => {
    const source = { dockerfile: lines('FROM busybox:1', 'RUN sleep 100', 'CMD ["sleep", "1000"]') };
    const { deployment_id } = await bench.client.deploy({ app_name: bench.app('slow'), source });
    expect(await say(deployment_id, 'pause')).toMatchObject({ status: 409, body: { code: 'rollout_not_running' } });
    expect(await say('dep-none', 'pause')).toMatchObject({ status: 404, body: { code: 'deployment_not_found' } });
    expect(await say(deployment_id, 'promote', { full: 'yes' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'full' }] },
    });

    expect(await ask('DELETE', path('slow'))).toMatchObject({ status: 409, body: { code: 'deployment_in_progress' } });
    expect(await say(deployment_id, 'cancel')).toMatchObject({ status: 202 });
    await bench.client.ended(deployment_id);
    expect(await ask('DELETE', path('slow'))).toMatchObject({ status: 200, body: { removed: { services: [] } } });
  });
});

describe('removing an app', () => {
  const remove = (query = '') => bench.client.request<RemovedAppView>('DELETE', path('gone', query));
  const volume = () => bench.app('data');

  it('takes its services, and keeps its volumes and its history', async () => {
    expect(await bench.swarm.volumes(volume())).toEqual([volume()]);
    const answer = await remove();
    expect(answer).toMatchObject({
      status: 200,
      body: {
        removed: { releases: 1, services: [`${bench.app('gone')}_r1`], volumes: [] },
        kept: [{ kind: 'volume', name: volume(), reason: 'volumes is keep' }, { kind: 'history' }],
      },
    });
    expect(await ask('GET', path('gone'))).toMatchObject({ status: 404, body: { code: 'app_not_found' } });
    expect(await ask('DELETE', path('gone'))).toMatchObject({ status: 404, body: { code: 'app_not_found' } });
    await settled('gone', 0);
    expect(await bench.swarm.volumes(volume())).toEqual([volume()]);
    expect(await get(path('gone', '/deployments'))).toMatchObject({ total: 1 });
  });

  it('lets it be deployed again, with numbers that go on, and removes the volumes where that is asked', async () => {
    const again = await bench.client.run({
      app_name: bench.app('gone'),
      ...serving('back again'),
      volumes: [{ source: volume(), target: '/data' }],
    });
    expect(again).toMatchObject({ status: 'success', release: 2 });
    expect((await page('gone')).trim()).toBe('back again');
    expect(await remove('?volumes=remove')).toMatchObject({
      status: 200,
      body: { removed: { volumes: [volume()] }, kept: [{ kind: 'history' }] },
    });
    expect(await bench.swarm.volumes(volume())).toEqual([]);
  });

  it('that was cut off goes on when it is asked again', async () => {
    const app = bench.app('cut');
    await bench.client.run({ app_name: app, ...serving('cut'), volumes: [{ source: volume(), target: '/data' }] });
    // As a crash after the first step leaves it.
    await bench.database(async (database) => {
      const removal = {
        app_name: app,
        environment: 'production',
        release: 1,
        hosts: [],
        releases: 1,
        volumes: [volume()],
      };
      await database.query(
        "insert into removals (app_name, environment, release, removal) values ($1, 'production', 1, $2)",
        [app, JSON.stringify(removal)],
      );
      for (const table of ['traffic', 'releases', 'apps']) {
        await database.query(`delete from ${table} where app_name = $1`, [app]);
      }
    });
    expect(await ask('DELETE', path('cut', '?volumes=remove'))).toMatchObject({
      status: 200,
      body: { removed: { volumes: [volume()] } },
    });
    expect(await bench.swarm.running(app)).toEqual([]);
    expect(await ask('DELETE', path('cut'))).toMatchObject({ status: 404 });
  });
});

describe('apps', () => {
  it('are listed with what is live', async () => {
    const { apps, total } = await get<AppListView>('/api/v1/apps?limit=1000');
    expect(total).toBe(apps.length);
    const app = apps.find(({ app_name }) => app_name === bench.app('config'));
    expect(app).toMatchObject({
      environment: 'production',
      project: 'default',
      live: { version: '1', image: expect.any(String), deployment_id: expect.any(String) },
      links: { self: path('config'), releases: path('config', '/releases') },
    });
    expect(app?.services).toHaveLength(1);
  });

  it('are shown and changed only within the apps and scopes of a token', async () => {
    const { body } = await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', {
      name: 'limited',
      scopes: ['read', 'deploy'],
      apps: [bench.app('scale')],
    });
    const limited = bench.client.withToken(body.token);
    const { body: list } = await limited.request<AppListView>('GET', '/api/v1/apps');
    expect(list.apps.map(({ app_name }) => app_name)).toEqual([bench.app('scale')]);
    expect(await limited.request('GET', path('config'))).toMatchObject({
      status: 404,
      body: { code: 'app_not_found' },
    });
    expect(await limited.request('PATCH', path('scale'), { replicas: 1 })).toMatchObject({ status: 403 });
    expect(await limited.request('POST', path('scale', '/rollback'), {})).toMatchObject({ status: 403 });
    expect(await limited.request('DELETE', path('scale'))).toMatchObject({ status: 403 });
  });

  it('without a live release cannot be changed', async () => {
    expect(await bench.ended('crash')).toMatchObject({ status: 'failed' });
    for (const [method, rest, body] of [
      ['PATCH', '', { replicas: 2 }],
      ['POST', '/scale', { replicas: 2 }],
      ['POST', '/restart', {}],
      ['POST', '/rollback', {}],
    ] as const) {
      expect(await ask(method, path('crash', rest), body)).toMatchObject({
        status: 409,
        body: { code: 'app_not_live' },
      });
    }
  });
});

describe('what cannot be', () => {
  it.each<[method: string, rest: string, body: unknown, status: number, code: string, field: string]>([
    ['PATCH', '', {}, 400, 'invalid_field', ''],
    ['PATCH', '', { reason: 'none' }, 400, 'invalid_field', ''],
    ['PATCH', '', { image: 'busybox:1' }, 400, 'unknown_field', 'image'],
    ['PATCH', '', { replicas: -1 }, 400, 'invalid_field', 'replicas'],
    ['PATCH', '', { replicas: null }, 400, 'invalid_field', 'replicas'],
    ['PATCH', '', { env: { 'a b': '1' } }, 400, 'invalid_field', 'env'],
    ['PATCH', '', { env: { A: 1 } }, 400, 'invalid_field', 'env'],
    ['PATCH', '', { secrets: [] }, 400, 'invalid_field', 'secrets'],
    ['PATCH', '', { domains: ['-'] }, 400, 'invalid_field', 'domains'],
    ['PATCH', '', { volumes: [{ source: '/etc', target: '/x' }] }, 400, 'invalid_field', 'volumes.0.source'],
    [
      'PATCH',
      '',
      { resources: { cpu_limit: 1, cpu_reservation: 2 } },
      400,
      'invalid_field',
      'resources.cpu_reservation',
    ],
    ['PATCH', '', { health_check: { deadline_ms: 3_600_000 } }, 400, 'invalid_field', 'health_check.deadline_ms'],
    ['PATCH', '', { strategy: 'sideways' }, 400, 'invalid_field', 'strategy'],
    ['PATCH', '', { port: 80, environment: 'No' }, 400, 'invalid_field', 'environment'],
    ['PATCH', '', { port: 80, environment: 'staging' }, 404, 'app_not_found', '-'],
    ['PATCH', '', { port: 80, on_conflict: 'maybe' }, 400, 'invalid_field', 'on_conflict'],
    ['POST', '/scale', {}, 400, 'invalid_field', 'replicas'],
    ['POST', '/scale', undefined, 400, 'invalid_field', 'replicas'],
    ['POST', '/scale', { replicas: '2' }, 400, 'invalid_field', 'replicas'],
    ['POST', '/scale', { replicas: 101 }, 400, 'invalid_field', 'replicas'],
    ['POST', '/restart', { replicas: 1 }, 400, 'unknown_field', 'replicas'],
    ['POST', '/rollback', { release: 0 }, 400, 'invalid_field', 'release'],
    ['POST', '/rollback', { deployment_id: 'a b' }, 400, 'invalid_field', 'deployment_id'],
    ['GET', '?environment=No', undefined, 400, 'invalid_field', 'environment'],
    ['GET', '/releases?limit=0', undefined, 400, 'invalid_field', 'limit'],
    ['GET', '/releases/none', undefined, 400, 'invalid_field', 'release'],
    ['GET', '/releases/1e0', undefined, 400, 'invalid_field', 'release'],
    ['GET', '/releases/999', undefined, 404, 'release_not_found', 'release'],
    ['GET', '/releases/1/diff/999', undefined, 404, 'release_not_found', 'to'],
    ['GET', '/releases/0/diff/1', undefined, 400, 'invalid_field', 'from'],
    ['DELETE', '?volumes=some', undefined, 400, 'invalid_field', 'volumes'],
  ])('%s %s %j is %i %s', async (method, rest, body, status, code, field) => {
    const answer = await bench.client.request<{ errors?: { path: string }[] }>(method, path('config', rest), body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.errors?.[0]?.path ?? '-').toBe(field);
  });
});
