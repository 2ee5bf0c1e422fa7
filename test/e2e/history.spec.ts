/** What happened can be asked for: while it happens, afterwards, by parts, and after the server was started anew. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentStats } from '../../src/domain/ports.js';
import { FlukeDeployEventType, LOG_LEVELS, type UnifiedLogEntry } from '../../src/domain/log-entry.js';
import { PHASES, type Phase } from '../../src/domain/phases.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import type { Client } from '../support/client.js';
import { assertMatchesSchema } from '../support/log-assertions.js';
import { lines, serving, shell } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

interface PhaseLogs {
  readonly deployment_id: string;
  readonly status: string;
  readonly phases: Record<Phase | 'deployment', UnifiedLogEntry[]>;
  readonly next_cursor: string;
  readonly has_more: boolean;
}
interface LogPage {
  readonly entries: UnifiedLogEntry[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly next_cursor: string;
}
interface History {
  readonly deployments: DeploymentView[];
  readonly total: number;
}

let bench: Workbench;
/** Three deployments of `web`, oldest first: two good ones and one that crashed; and one of `other`. */
let web: DeploymentView[];
let other: DeploymentView;

beforeAll(async () => {
  bench = await Workbench.set();
  const { client } = bench;
  const asked = {
    app_name: bench.app('other'),
    source: { dockerfile: lines('FROM busybox:1', 'CMD ["sleep", "1000"]') },
  };
  const running = client.run({ ...asked, port: 0, replicas: 0, environment: 'staging' });
  web = [
    await client.run({ app_name: bench.app('web'), ...serving('one'), version: '1.0', reason: 'first' }),
    await client.run({ app_name: bench.app('web'), ...serving('two'), version: '2.0' }),
    await client.run({ app_name: bench.app('web'), image: 'busybox:1', command: shell('echo gone; exit 3') }),
  ];
  other = await running;
});
afterAll(() => bench.clear());

async function get<Body>(path: string, client: Client = bench.client): Promise<Body> {
  const { status, body } = await client.request<Body>('GET', path);
  if (status !== 200) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

const ids = (views: readonly DeploymentView[]) => views.map(({ deployment_id }) => deployment_id);
const newestFirst = () => ids(web).reverse();
const logs = (query: string, id = ids(web)[1] ?? '') => get<PhaseLogs>(`/api/v1/deployments/${id}/logs?${query}`);
const entriesOf = ({ phases }: PhaseLogs) => Object.values(phases).flat();
const query = (parameters: string) => get<LogPage>(`/api/v1/logs?${parameters}`);
const sequences = (entries: readonly UnifiedLogEntry[]) =>
  entries.map(({ flukedeploy_metadata: { sequence } }) => sequence).sort((a, b) => a - b);
const appOf = ({ flukedeploy_metadata }: UnifiedLogEntry) => flukedeploy_metadata.app_name;

describe('the status of a deployment', () => {
  it('is answered when it changes, without polling', async () => {
    const { deployment_id } = await bench.client.deploy({
      app_name: bench.app('poll'),
      ...serving('poll'),
      replicas: 0,
    });
    const seen: string[] = [];
    for (let view = await bench.client.status(deployment_id); ; view = await bench.client.status(deployment_id, 60)) {
      seen.push(JSON.stringify(view));
      if (view.finished_at !== undefined) break;
    }
    // No two answers are alike: each but the last was given because something had changed.
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(2);
    expect(JSON.parse(seen.at(-1) ?? '')).toMatchObject({ status: 'success' });
  });

  it('of an ended deployment is answered at once, however long one would wait', async () => {
    expect(await bench.client.status(ids(web)[0] ?? '', 60)).toMatchObject({ status: 'success', version: '1.0' });
  });

  it('of a deployment that is not there is 404, of a wrong question 400', async () => {
    expect(await bench.client.request('GET', '/api/v1/deployments/dep-none')).toMatchObject({
      status: 404,
      body: { code: 'deployment_not_found' },
    });
    expect(await bench.client.request('GET', `/api/v1/deployments/${ids(web)[0]}?wait_seconds=61`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_field', errors: [{ path: 'wait_seconds' }] },
    });
  });
});

describe('the log of a deployment', () => {
  it('is grouped by phase and complete', async () => {
    const all = await logs('');
    expect(all).toMatchObject({ deployment_id: ids(web)[1], status: 'success', has_more: false });
    expect(Object.keys(all.phases)).toEqual(['deployment', ...PHASES]);
    for (const [phase, entries] of Object.entries(all.phases)) {
      for (const entry of entries) expect(entry.flukedeploy_metadata.phase ?? 'deployment').toBe(phase);
      expect(sequences(entries)).toEqual(entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.sequence));
    }
    const entries = entriesOf(all);
    entries.forEach(assertMatchesSchema);
    expect(sequences(entries)).toEqual(entries.map((_, index) => index + 1));
  });

  it('can be asked for one phase, and from a level on', async () => {
    const deploy = await logs('phase=deploy');
    expect(entriesOf(deploy)).toEqual((await logs('')).phases.deploy);
    expect(deploy.phases.deploy).not.toHaveLength(0);

    const errors = entriesOf(await logs('level=error', ids(web)[2]));
    expect(errors).not.toHaveLength(0);
    expect(new Set(errors.map(({ level }) => level))).toEqual(new Set(['error']));
    const warnings = entriesOf(await logs('level=warn', ids(web)[2]));
    expect(new Set(warnings.map(({ level }) => level))).toEqual(new Set(['warn', 'error']));
    expect(entriesOf(await logs('level=debug'))).toEqual(entriesOf(await logs('')));
  });

  it('is read in pages without losing or repeating an entry', async () => {
    const pages: PhaseLogs[] = [];
    for (let cursor = ''; pages.at(-1)?.has_more ?? true; cursor = `&cursor=${pages.at(-1)?.next_cursor ?? ''}`) {
      pages.push(await logs(`limit=4${cursor}`));
    }
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flatMap((page) => sequences(entriesOf(page)))).toEqual(sequences(entriesOf(await logs(''))));
    const after = await logs(`cursor=${pages.at(-1)?.next_cursor ?? ''}`);
    expect(entriesOf(after)).toEqual([]);
  });

  it('waits for an entry where there is none yet', async () => {
    const app_name = bench.app('wait');
    const dockerfile = lines('FROM busybox:1', `RUN sleep 2; echo ${app_name} says it later`, 'CMD ["sleep", "1000"]');
    const source = { dockerfile };
    const { deployment_id } = await bench.client.deploy({ app_name, source, port: 0, replicas: 0 });
    const said: string[] = [];
    let page = await logs('', deployment_id);
    while (page.status !== 'success') {
      said.push(...entriesOf(page).map(({ message }) => message));
      page = await logs(`cursor=${page.next_cursor}&wait_seconds=30`, deployment_id);
      if (page.status !== 'success') expect(entriesOf(page)).not.toHaveLength(0);
    }
    said.push(...entriesOf(page).map(({ message }) => message));
    expect(said).toContainEqual(expect.stringContaining(`${app_name} says it later`));
    // The status came with the last entry, not before it.
    expect(said).toContainEqual(expect.stringContaining('is live as release 1'));
    expect(said).toHaveLength((await bench.client.entries(deployment_id)).length);
  });

  it('refuses a cursor that was never given out', async () => {
    const answer = await bench.client.request('GET', `/api/v1/deployments/${ids(web)[0]}/logs?cursor=nonsense!`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'cursor_invalid' } });
  });
});

describe('the history of an app', () => {
  const history = (parameters = '') => get<History>(`/api/v1/apps/${bench.app('web')}/deployments${parameters}`);

  it('begins with the newest', async () => {
    const all = await history();
    expect(all).toMatchObject({ app_name: bench.app('web'), total: 3, limit: 100, offset: 0 });
    expect(ids(all.deployments)).toEqual(newestFirst());
    expect(all.deployments.map(({ status, release }) => ({ status, release }))).toEqual([
      { status: 'failed', release: 3 },
      { status: 'success', release: 2 },
      { status: 'success', release: 1 },
    ]);
    expect(all.deployments[2]).toMatchObject({ version: '1.0', reason: 'first', actor: 'admin' });
  });

  it('comes in pages', async () => {
    expect(ids((await history('?limit=2')).deployments)).toEqual(newestFirst().slice(0, 2));
    const second = await history('?limit=2&offset=2');
    expect(ids(second.deployments)).toEqual(newestFirst().slice(2));
    expect(second).toMatchObject({ total: 3, limit: 2, offset: 2 });
    expect((await history('?offset=3')).deployments).toEqual([]);
  });

  it('can be asked for one environment', async () => {
    const of = (environment: string) =>
      get<History>(`/api/v1/apps/${bench.app('other')}/deployments?environment=${environment}`);
    expect(ids((await of('staging')).deployments)).toEqual([other.deployment_id]);
    expect(await of('production')).toMatchObject({ deployments: [], total: 0 });
  });

  it('of an app that never was is 404', async () => {
    const answer = await bench.client.request('GET', `/api/v1/apps/${bench.app('none')}/deployments`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'app_not_found' } });
  });

  it('ends in the overview of all apps', async () => {
    const { deployments, total } = await get<History>('/api/v1/deployments?limit=1000');
    expect(ids(deployments)).toContain(other.deployment_id);
    expect(ids(deployments).filter((id) => newestFirst().includes(id))).toEqual(newestFirst());
    expect(total).toBe(deployments.length);
  });
});

it('active deployments are those that have not ended', async () => {
  const app_name = bench.app('active');
  const source = { dockerfile: lines('FROM busybox:1', 'RUN sleep 100', 'CMD ["sleep", "1000"]') };
  const first = await bench.client.deploy({ app_name, source });
  const second = await bench.client.deploy({ app_name, ...serving('never') });
  const active = () => get<History>('/api/v1/deployments/active');
  expect(ids((await active()).deployments)).toEqual(ids([second, first]));

  for (const id of ids([second, first])) {
    await bench.client.request('POST', `/api/v1/deployments/${id}/cancel`, {});
    await bench.client.ended(id);
  }
  expect(await active()).toEqual({ deployments: [], total: 0 });
});

it('stats count what the lists show', async () => {
  const { deployments, total } = await get<History>('/api/v1/deployments?limit=1000');
  const stats = await get<DeploymentStats>('/api/v1/deployments/stats');
  expect(stats.total).toBe(total);
  for (const [status, count] of Object.entries(stats.by_status)) {
    expect({ status, count }).toEqual({ status, count: deployments.filter((view) => view.status === status).length });
  }
  expect(stats.by_status).toMatchObject({ pending: 0, building: 0, deploying: 0, rolled_back: 0 });
  expect(stats.entries).toBe((await query('limit=1')).total);
  expect(stats.average_duration_ms).toBeGreaterThan(0);
});

describe('the log of everything', () => {
  it('answers the last hour, oldest first, a thousand entries', async () => {
    const page = await query('');
    expect(page).toMatchObject({ limit: 1000, offset: 0 });
    expect(page.total).toBe(page.entries.length);
    page.entries.forEach(assertMatchesSchema);
    const times = page.entries.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted());
    expect(new Set(page.entries.map(appOf))).toContain(bench.app('web'));
    expect((await query('since_minutes=60')).total).toBe(page.total);
  });

  it('filters by app, deployment, event type and level', async () => {
    const all = (await query('limit=10000')).entries;
    const expectFiltered = async (parameters: string, keep: (entry: UnifiedLogEntry) => boolean) => {
      const page = await query(parameters);
      expect(page.entries).toEqual(all.filter(keep));
      expect(page.entries).not.toHaveLength(0);
      expect(page.total).toBe(page.entries.length);
    };
    const app = bench.app('web');
    await expectFiltered(`app_name=${app}`, (entry) => appOf(entry) === app);
    const [, , failed] = ids(web);
    await expectFiltered(`deployment_id=${failed}`, (entry) => entry.flukedeploy_metadata.deployment_id === failed);
    await expectFiltered(
      'event_type=scale_event',
      (entry) => entry.flukedeploy_metadata.event_type === FlukeDeployEventType.SCALE_EVENT,
    );
    await expectFiltered(
      'event_type=health_check',
      (entry) => entry.flukedeploy_metadata.event_type === FlukeDeployEventType.HEALTH_CHECK,
    );
    for (const level of LOG_LEVELS) {
      const wanted = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
      await expectFiltered(`level=${level}`, (entry) => wanted.includes(entry.level));
    }
    await expectFiltered(
      `app_name=${app}&level=error&event_type=deploy_error`,
      (entry) =>
        appOf(entry) === app &&
        entry.level === 'error' &&
        entry.flukedeploy_metadata.event_type === FlukeDeployEventType.DEPLOY_ERROR,
    );
    expect((await query(`app_name=${bench.app('none')}`)).entries).toEqual([]);
  });

  it('is read in pages by offset and by cursor alike', async () => {
    const all = (await query('limit=10000')).entries;
    const byOffset = await query('limit=7&offset=7');
    expect(byOffset).toMatchObject({ total: all.length, limit: 7, offset: 7 });
    expect(byOffset.entries).toEqual(all.slice(7, 14));

    const byCursor: UnifiedLogEntry[] = [];
    for (let cursor = ''; byCursor.length < all.length;) {
      const page = await query(`limit=50${cursor}`);
      expect(page.entries).not.toHaveLength(0);
      byCursor.push(...page.entries);
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(byCursor).toEqual(all);
  });

  it.each([
    ['level=loud', 'level'],
    ['event_type=party', 'event_type'],
    ['limit=10001', 'limit'],
    ['limit=0', 'limit'],
    ['offset=-1', 'offset'],
    ['since_minutes=0', 'since_minutes'],
    ['app=web', 'app'],
  ])('refuses %s and names the field', async (parameters, path) => {
    const answer = await bench.client.request('GET', `/api/v1/logs?${parameters}`);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

describe('a token', () => {
  const withToken = async (order: object): Promise<Client> => {
    const { status, body } = await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', order);
    expect(status).toBe(201);
    return bench.client.withToken(body.token);
  };

  it('for some apps sees only these', async () => {
    const limited = await withToken({ name: 'web only', scopes: ['read', 'deploy'], apps: [bench.app('we*')] });
    const { deployments, total } = await get<History>('/api/v1/deployments', limited);
    expect(ids(deployments)).toEqual(newestFirst());
    expect(total).toBe(3);
    expect(new Set((await get<LogPage>('/api/v1/logs', limited)).entries.map(appOf))).toEqual(
      new Set([bench.app('web')]),
    );
    expect((await get<LogPage>(`/api/v1/logs?app_name=${bench.app('other')}`, limited)).entries).toEqual([]);
    expect((await get<LogPage>(`/api/v1/logs?deployment_id=${other.deployment_id}`, limited)).entries).toEqual([]);

    const hidden = { status: 404, body: { code: 'deployment_not_found' } };
    const path = `/api/v1/deployments/${other.deployment_id}`;
    expect(await limited.request('GET', path)).toMatchObject(hidden);
    expect(await limited.request('GET', `${path}/logs`)).toMatchObject(hidden);
    expect(await limited.request('POST', `${path}/cancel`, {})).toMatchObject(hidden);
    const gone = { status: 404, body: { code: 'app_not_found' } };
    expect(await limited.request('GET', `/api/v1/apps/${bench.app('other')}/deployments`)).toMatchObject(gone);
    const foreign = { app_name: bench.app('other'), ...serving('never') };
    expect(await limited.request('POST', '/api/v1/deploy', foreign)).toMatchObject(gone);
    expect(ids((await get<History>(`/api/v1/apps/${bench.app('web')}/deployments`, limited)).deployments)).toEqual(
      newestFirst(),
    );
  });

  it('for some apps counts only these', async () => {
    const limited = await withToken({ name: 'web count', scopes: ['read'], apps: [bench.app('web')] });
    const stats = await get<DeploymentStats>('/api/v1/deployments/stats', limited);
    expect(stats).toMatchObject({ total: 3, by_status: { success: 2, failed: 1 } });
  });

  it('that may only read cannot deploy, and is told what it lacks', async () => {
    const reader = await withToken({ name: 'reader', scopes: ['read'] });
    const answer = await reader.request('POST', '/api/v1/deploy', { app_name: bench.app('web'), ...serving('never') });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringContaining('deploy') },
    });
    expect(await reader.request('POST', `/api/v1/deployments/${ids(web)[0]}/cancel`, {})).toMatchObject({
      status: 403,
    });
    expect(await reader.request('GET', '/api/v1/tokens')).toMatchObject({ status: 403 });
    expect(ids((await get<History>(`/api/v1/apps/${bench.app('web')}/deployments`, reader)).deployments)).toEqual(
      newestFirst(),
    );
  });

  it('of an agent leaves its name in everything that it causes', async () => {
    const agent = await withToken({ name: 'agent', scopes: ['read', 'deploy'], agent: 'OPERATOR' });
    const view = await agent.run({ app_name: bench.app('agent'), ...serving('agent'), replicas: 0 });
    expect(view).toMatchObject({ status: 'success', actor: 'agent', agent: 'OPERATOR' });
    const [first] = await bench.client.entries(view.deployment_id);
    expect(first?.flukedeploy_metadata).toMatchObject({ actor: 'agent', agent: 'OPERATOR' });
  });
});

it('a server that is started anew still has all of it, and goes on from every cursor', async () => {
  const before = {
    log: await query('limit=10000'),
    history: await get<History>(`/api/v1/apps/${bench.app('web')}/deployments`),
    stats: await get<DeploymentStats>('/api/v1/deployments/stats'),
  };
  const { next_cursor } = await query('limit=10');

  await bench.installation.stop();
  await bench.installation.start();

  expect((await query('limit=10000')).entries).toEqual(before.log.entries);
  expect(await get(`/api/v1/apps/${bench.app('web')}/deployments`)).toEqual(before.history);
  expect(await get('/api/v1/deployments/stats')).toEqual(before.stats);
  expect((await query(`limit=10000&cursor=${next_cursor}`)).entries).toEqual(before.log.entries.slice(10));

  // The newest cursor from before the stop leads to what happens after it, and to nothing else.
  const view = await bench.client.run({ app_name: bench.app('web'), ...serving('three') });
  expect(view).toMatchObject({ status: 'success', release: 4 });
  const since = await query(`limit=10000&cursor=${before.log.next_cursor}`);
  expect(new Set(since.entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.deployment_id))).toEqual(
    new Set([view.deployment_id]),
  );
  expect(sequences(since.entries)).toEqual(since.entries.map((_, index) => index + 1));
});
