/** What the end of a deployment means for its app: a release, or the way back; and whose requests and host names these are. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { DEFAULT_CONFIG } from '../../src/domain/app-spec.js';
import { DEPLOYMENT_KINDS } from '../../src/domain/facts.js';
import { MAX_INTERRUPTIONS } from '../../src/domain/phases.js';
import { UNDO_CHANCES } from '../../src/domain/deployment.js';
import { DEFAULT_STRATEGIES } from '../../src/domain/strategy.js';
import { AuditLog } from '../support/audit-log.js';
import { emptyStores } from '../support/empty-stores.js';
import { assertPromisesKept } from '../support/store-promises.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let process: StoreProcess;
/** Other processes, each with connections of its own. */
let others: StoreProcess[];

beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
  others = [2, 3].map((number) => new StoreProcess(new Database(test.database.url), { instance: `test/${number}` }));
});
beforeEach(() => emptyStores(test.database));
afterEach(() => assertPromisesKept(test.database));
afterAll(async () => {
  await Promise.all(others.map(({ database }) => database.close()));
  await test.stop();
});

const app = { app_name: 'api-server', environment: 'production' };
const IMAGE = 'api-server@sha256:1';

const messages = async (deployment_id: string): Promise<string[]> => {
  const { rows } = await process.log.query({ deployment_id }, { limit: 1_000, offset: 0 });
  return rows.map(({ message }) => message);
};
const count = async (): Promise<number> => (await process.deployments.list({}, { limit: 1, offset: 0 })).total;
/** The rollback that the failed deployment has ordered. */
const orderOf = async (id: string): Promise<string> => {
  const { rollback } = (await process.record(id)).state;
  if (rollback === undefined) throw new Error(`${id} has ordered no rollback`);
  return rollback.by;
};

describe('a failure after the version has met requests', () => {
  it('orders the way back to what was live, in the transaction that ends it', async () => {
    const audit = new AuditLog(test.database);
    await audit.begin();
    const good = await process.goLive({ version: '1.4' }, IMAGE);
    const bad = await process.goWrong({ version: '1.5', config: { replicas: 7 } });
    expect(await audit.lines()).toEqual(['auto-rollback app.rollback api-server/production succeeded']);
    expect(bad.state).toMatchObject({ status: 'failed', rollback: { release: 1 } });

    const { state, spec } = await process.record(await orderOf(bad.id));
    expect(state).toMatchObject({
      status: 'pending',
      identity: {
        kind: 'rollback',
        ...app,
        project: 'default',
        version: '1.4',
        release: 3,
        actor: { kind: 'system', name: 'auto-rollback' },
        rollback_of: bad.id,
        rollback_to: good.state.identity.release,
        reason: expect.stringMatching(/^1\.5 failed: /),
      },
    });
    expect(spec).toMatchObject({
      source: { kind: 'release', release: 1, image: IMAGE },
      config: {},
      auto_rollback: false,
    });
    expect((await messages(bad.id)).slice(-2)).toEqual([
      expect.stringMatching(/^Deployment failed in deploy: /),
      `Rollback to release 1 (1.4) ordered: ${state.identity.id}`,
    ]);
    const rows = await test.database.query<{ transaction: string }>(
      'select distinct xmin::text as transaction from deployments where id = any ($1)',
      [[bad.id, state.identity.id]],
    );
    expect(rows).toHaveLength(1);
  });

  it('answers its own state with the order in it', async () => {
    await process.goLive();
    const { id } = await process.accept();
    const claim = await process.reach(id, 'deploy');
    await process.shift(claim);
    const appended = await process.fail(claim, 'unhealthy');
    expect(appended?.state).toEqual((await process.record(id)).state);
    expect(appended?.state.rollback).toBeDefined();
  });

  it('goes back before everything that waits, whatever it is', async () => {
    await process.goLive();
    const failing = await process.accept();
    const claim = await process.reach(failing.id, 'deploy');
    const waiting = await process.accept();
    const newest = await process.accept({ on_conflict: 'supersede', id: 'dep-supersede' });
    await process.shift(claim);
    await process.fail(claim, 'unhealthy');
    const back = await orderOf(failing.id);

    expect((await process.claims.superseded()).map(({ id }) => id)).toEqual([waiting.id]);
    const places = await Promise.all(
      [back, waiting.id, newest.id].map(async (id) => process.deployments.place(await process.record(id))),
    );
    // Nothing runs, so that the first in line has nobody before it.
    expect(places).toEqual([{ position: 0 }, { position: 1, behind: back }, { position: 2, behind: waiting.id }]);
    expect((await process.claims.startWaiting()).map(({ deployment_id }) => deployment_id)).toEqual([back]);
    expect(await process.claims.startWaiting()).toEqual([]);

    await process.finish(back);
    expect((await process.claims.startWaiting()).map(({ deployment_id }) => deployment_id)).toEqual([waiting.id]);
  });

  it('is rolled back once the way back has succeeded', async () => {
    await process.goLive({ config: { replicas: 2 } }, IMAGE);
    const bad = await process.goWrong({ config: { replicas: 7 } });
    const back = await orderOf(bad.id);
    const { state, config } = await process.finish(back);
    expect(state).toMatchObject({
      status: 'success',
      phases: { build: { status: 'skipped' } },
      outputs: { image: IMAGE },
    });
    expect(config?.replicas).toBe(2);
    expect((await process.record(bad.id)).state).toMatchObject({ status: 'rolled_back', rolled_back_by: back });
    expect((await messages(bad.id)).at(-1)).toBe(`Rolled back by ${back}`);
    expect((await process.apps.release(app, { release: 3 }))?.origin).toBe(1);
  });

  it('stays failed where the way back fails too, which is not tried again', async () => {
    await process.goLive();
    const bad = await process.goWrong();
    const back = await orderOf(bad.id);
    const claim = await process.reach(back, 'deploy');
    await process.shift(claim);
    await process.fail(claim, 'image_not_found');

    expect((await process.record(back)).state).not.toHaveProperty('rollback');
    expect((await process.record(bad.id)).state).toMatchObject({
      status: 'failed',
      rollback: { by: back, error: { code: 'image_not_found' } },
    });
    expect((await messages(bad.id)).at(-1)).toMatch(/^THE ROLLBACK dep-\w+ FAILED TOO: /);
    expect(await count()).toBe(3);
  });

  it('learns that its way back was cancelled', async () => {
    await process.goLive();
    const bad = await process.goWrong();
    await process.cancel(await orderOf(bad.id));
    expect((await process.record(bad.id)).state).toMatchObject({
      status: 'failed',
      rollback: { error: { code: 'cancelled' } },
    });
  });

  it('goes back although nobody is left to say that it failed', async () => {
    await process.goLive();
    const { id } = await process.accept();
    await process.shift(await process.reach(id, 'deploy'));
    for (let death = 0; death < MAX_INTERRUPTIONS + UNDO_CHANCES; death++) {
      await process.expireLease(id);
      await process.claimNext(id);
    }
    expect((await process.record(id)).state).toMatchObject({ status: 'failed', error: { code: 'worker_lost' } });
    expect(await orderOf(id)).toBeDefined();
  });

  it('goes back to the last release, not to what was only scaled or restarted since', async () => {
    await process.goLive({}, IMAGE);
    const scale = await process.accept({ kind: 'scale', source: { kind: 'live' }, config: { replicas: 4 } });
    await process.finish(scale.id);
    const bad = await process.goWrong();
    expect(bad.state).toMatchObject({ base: { release: 1, replicas: 4 }, rollback: { release: 1 } });
    const { config } = await process.finish(await orderOf(bad.id));
    expect(config?.replicas).toBe(4);
  });
});

describe('no way back is ordered', () => {
  it.each([
    ['where nothing was switched', {}, false],
    ['where it is not wanted', { auto_rollback: false }, true],
  ] as const)('%s', async (_, fields, served) => {
    await process.goLive();
    const bad = await process.goWrong(fields, served);
    expect(bad.state).toMatchObject({ status: 'failed' });
    expect(bad.state).not.toHaveProperty('rollback');
    expect(await count()).toBe(2);
  });

  it('where nothing was live before', async () => {
    const bad = await process.goWrong();
    expect(bad.state).not.toHaveProperty('rollback');
    expect(await count()).toBe(1);
  });

  it('where the deployment was cancelled: its worker takes it back itself', async () => {
    await process.goLive();
    const { id } = await process.accept();
    const claim = await process.reach(id, 'deploy');
    await process.shift(claim);
    await process.cancel(id);
    await process.fail(claim, 'cancelled');
    expect((await process.record(id)).state.status).toBe('cancelled');
    expect(await count()).toBe(2);
  });
});

describe('a success', () => {
  it.each(DEPLOYMENT_KINDS)('of the kind %s', async (kind) => {
    await process.goLive({}, IMAGE);
    const { id } = await process.accept({ kind, source: { kind: 'live' }, config: { replicas: 3 }, version: '2.0' });
    const { state, config } = await process.finish(id);
    expect(state.status).toBe('success');

    const isRelease = kind !== 'scale' && kind !== 'restart';
    const { releases, total } = await process.apps.releases(app, { limit: 10, offset: 0 });
    expect(releases.map(({ release }) => release)).toEqual(isRelease ? [2, 1] : [1]);
    expect(total).toBe(releases.length);
    // Whatever it was, its configuration is that of the app.
    expect(await process.apps.find(app)).toMatchObject({
      config: { replicas: 3 },
      live_release: isRelease ? 2 : 1,
      live_deployment: id,
    });
    if (!isRelease) return;
    expect(await process.apps.release(app, { release: 2 })).toEqual({
      ...app,
      release: 2,
      deployment_id: id,
      version: '2.0',
      image: IMAGE,
      source: state.identity.source,
      config,
      actor: state.identity.actor,
      origin: 2,
      created_at: state.finished_at,
    });
  });

  it('keeps what the build has left behind', async () => {
    const { id } = await process.accept();
    await process.finish(id, { image: IMAGE, image_digest: 'sha256:1', commit: 'abc' });
    expect(await process.apps.release(app, { release: 1 })).toMatchObject({
      image: IMAGE,
      image_digest: 'sha256:1',
      commit: 'abc',
    });
  });

  it('of a rollback has the content of its target, also of one that was a rollback itself', async () => {
    await process.goLive();
    await process.goLive();
    for (const rollback_to of [1, 3, 2]) {
      const source = { kind: 'release', release: rollback_to, version: `v${rollback_to}`, image: IMAGE } as const;
      const { id } = await process.accept({ kind: 'rollback', rollback_to, source });
      await process.finish(id);
    }
    const { releases } = await process.apps.releases(app, { limit: 10, offset: 0 });
    expect(releases.map(({ release, origin }) => [release, origin])).toEqual([
      [5, 2],
      [4, 1],
      [3, 1],
      [2, 2],
      [1, 1],
    ]);
  });

  it('alone makes a release: what fails or is cancelled leaves its number out', async () => {
    await process.goLive();
    await process.goWrong({}, false);
    await process.cancel((await process.accept()).id);
    await process.goLive();
    const { releases } = await process.apps.releases(app, { limit: 10, offset: 0 });
    expect(releases.map(({ release }) => release)).toEqual([4, 1]);
  });
});

describe('the start', () => {
  it('knows that nothing is live yet', async () => {
    expect((await process.start()).state.base).toEqual({ replicas: 0, retiring: [] });
  });

  it('keeps in mind what is live, and where the requests go', async () => {
    const first = await process.accept({ version: '1.4', config: { replicas: 3 } });
    const traffic = await process.shift(await process.reach(first.id, 'deploy'));
    await process.finishHeld(first.id, { image: IMAGE, image_digest: 'sha256:1', commit: 'abc' });
    const next = await process.start({ config: { replicas: 5 } });
    expect(next.state.base).toEqual({
      release: 1,
      version: '1.4',
      image: IMAGE,
      image_digest: 'sha256:1',
      commit: 'abc',
      replicas: 3,
      traffic,
      retiring: [],
    });
    // The order has no image yet: what it will run must be made first.
    expect(next.state.outputs).toEqual({});
    // Whatever happens meanwhile does not change what it began with.
    await process.shift(await process.reach(next.id, 'deploy'));
    expect((await process.record(next.id)).state.base?.traffic).toEqual(traffic);
  });

  it('knows the image that runs again: the live one as it is then, or that of a release', async () => {
    const waiting = await process.accept();
    const live = await process.accept({ kind: 'config', source: { kind: 'live' } });
    await process.finish(waiting.id, { image: 'made-later', commit: 'abc' });
    await process.claims.startWaiting();
    expect((await process.record(live.id)).state).toMatchObject({
      outputs: { image: 'made-later', commit: 'abc' },
      skips: { pre_build: expect.any(String), build: expect.any(String) },
    });
    await process.finish(live.id);

    const source = { kind: 'release', release: 1, version: 'v1', image: IMAGE, image_digest: 'sha256:1' } as const;
    const back = await process.start({ kind: 'rollback', source, rollback_to: 1 });
    expect(back.state.outputs).toEqual({ image: IMAGE, image_digest: 'sha256:1' });
  });

  it('gives a strategy that waits by itself so much more time', async () => {
    const steps = [{ set_weight: 10 }, { pause: { duration_seconds: 90 } }, { pause: {} }];
    const strategy = { ...DEFAULT_STRATEGIES.canary, steps };
    const { state } = await process.start({ timeout_ms: 60_000, config: { strategy } });
    expect(Date.parse(state.deadline_at!) - Date.parse(state.started_at!)).toBe(150_000);
  });

  it('fills in what configurations of earlier versions do not have', async () => {
    await process.goLive();
    const { secrets: _, domains: __, ...old } = { ...DEFAULT_CONFIG, strategy: 'rolling' };
    await test.database.query('update apps set config = $1', [JSON.stringify(old)]);
    expect((await process.start()).config).toEqual(DEFAULT_CONFIG);
  });
});

describe('a paused rollout', () => {
  const actor = { kind: 'admin', name: 'admin' } as const;

  it('has no deadline, and nobody ends it for being late, but whoever takes it over knows the time that is left', async () => {
    const { id } = await process.accept({ timeout_ms: 60_000 });
    const { record } = await process.reach(id, 'deploy');
    const at = new Date(Date.parse(record.state.deadline_at!) - 5_000).toISOString();
    await process.log.append({
      deployment_id: id,
      items: [{ fact: { type: 'rollout_paused', at, actor, reason: '' } }],
    });
    for (const worker of others) {
      await process.expireLease(id);
      expect(await process.claims.expire(0)).toEqual([]);
      expect((await worker.held(id)).left_ms).toBe(5_000);
    }

    const resumed = { type: 'rollout_resumed', at: new Date().toISOString(), actor } as const;
    await process.log.append({ deployment_id: id, items: [{ fact: resumed }] });
    await process.expireLease(id);
    expect((await process.held(id)).left_ms).toBeLessThanOrEqual(5_000);
  });

  it('writes nothing for what changes nothing', async () => {
    const { id } = await process.accept();
    await process.reach(id, 'deploy');
    const at = new Date().toISOString();
    const promote = { type: 'rollout_promoted', at, actor, full: false } as const;
    const [first, second] = [promote, promote].map((fact) =>
      process.log.append({ deployment_id: id, items: [{ fact }] }),
    );
    expect([(await first)?.rows.length, (await second)?.rows.length]).toEqual([1, 0]);
  });
});

describe('the traffic of an app', () => {
  it('is where the last shift has sent it', async () => {
    const { id } = await process.accept();
    const claim = await process.reach(id, 'deploy');
    expect(await process.apps.traffic()).toEqual([]);
    const first = await process.shift(claim, { hosts: ['a.example'] });
    expect(await process.apps.traffic()).toEqual([first]);
    const second = await process.shift(claim, { hosts: ['a.example', 'b.example'] });
    expect((await process.apps.find(app))?.traffic).toEqual(second);
    expect(await process.apps.traffic()).toEqual([second]);
    // Without a host name it is no affair of the edge.
    const internal = await process.shift(claim);
    expect((await process.apps.find(app))?.traffic).toEqual(internal);
    expect(await process.apps.traffic()).toEqual([]);
  });

  it('is not moved by a worker that has been taken over', async () => {
    const { id } = await process.accept();
    const dead = await process.reach(id, 'deploy');
    const before = await process.shift(dead, { hosts: ['a.example'] });
    await process.expireLease(id);
    await process.held(id);
    await expect(process.shift(dead, { hosts: ['late.example'] })).rejects.toThrow('not held');
    expect(await process.apps.traffic()).toEqual([before]);
  });

  it('is its own in each environment', async () => {
    for (const environment of ['production', 'staging']) {
      await process.goLive({ environment, hosts: [`${environment}.example`] });
    }
    expect((await process.apps.traffic()).map(({ hosts }) => hosts[0]).sort()).toEqual([
      'production.example',
      'staging.example',
    ]);
  });
});

describe('a host name', () => {
  const owners = () => test.database.query('select host, app_name from domains order by host');
  const taken = { code: 'domain_taken', fields: [{ path: 'domains', message: 'a.example belongs to another app' }] };

  it('belongs to the app that was first to ask for it, and leaves nothing of those who come later', async () => {
    const first = await process.accept({ hosts: ['a.example'] });
    await expect(process.accept({ app_name: 'other', hosts: ['b.example', 'a.example'] })).rejects.toMatchObject(taken);
    await expect(process.accept({ environment: 'staging', hosts: ['a.example'] })).rejects.toMatchObject(taken);
    expect(await owners()).toEqual([{ host: 'a.example', app_name: 'api-server' }]);
    expect(await process.deployments.appExists('other')).toBe(false);
    expect(await count()).toBe(1);

    // The app itself may ask for it as often as it likes.
    await process.accept({ hosts: ['a.example'] });
    await process.cancel(first.id);
  });

  it('goes to exactly one of two apps that ask at the same moment in two processes', async () => {
    for (let round = 0; round < 10; round++) {
      const asked = await Promise.allSettled(
        ['one', 'two', 'three', 'four'].map((name, index) => {
          const hosts = [`x${round}.example`, `y${round}.example`];
          // In another order, so that they could wait for each other.
          return others[index % 2]!.accept({ app_name: name, hosts: index % 2 === 0 ? hosts : hosts.reverse() });
        }),
      );
      const refused = asked.filter((one) => one.status === 'rejected');
      expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array(3).fill('domain_taken'));
    }
  });

  it('stays while it serves, and is free again once the app has dropped it', async () => {
    await process.goLive({ hosts: ['a.example', 'b.example'] });
    await expect(process.accept({ app_name: 'other', hosts: ['a.example'] })).rejects.toMatchObject(taken);
    await process.goLive({ hosts: ['b.example'] });
    expect(await owners()).toEqual([{ host: 'b.example', app_name: 'api-server' }]);
    await process.accept({ app_name: 'other', hosts: ['a.example'] });
  });

  it('is free again where the deployment that asked for it never served', async () => {
    await process.goLive({ hosts: ['b.example'] });
    await process.goWrong({ hosts: ['a.example'] }, false);
    expect(await owners()).toEqual([{ host: 'b.example', app_name: 'api-server' }]);
    await process.cancel((await process.accept({ hosts: ['a.example'] })).id);
    expect(await owners()).toEqual([{ host: 'b.example', app_name: 'api-server' }]);
  });

  it('stays while a deployment that asked for it waits, and while the way back may need it', async () => {
    await process.goLive({ hosts: ['a.example'] });
    const bad = await process.goWrong({ hosts: ['b.example'] });
    expect(await owners()).toHaveLength(2);
    const claim = await process.reach(await orderOf(bad.id), 'deploy');
    await process.shift(claim, { hosts: ['a.example'] });
    await process.finishHeld(claim.record.id);
    expect(await owners()).toEqual([{ host: 'a.example', app_name: 'api-server' }]);
  });

  it('stays as long as the app is configured to have it, though nothing serves there', async () => {
    const strategy = { ...DEFAULT_STRATEGIES.blue_green, preview_host: 'next.example' };
    await process.goLive({ config: { strategy, domains: ['a.example'] } });
    for (const host of ['a.example', 'next.example']) {
      await expect(process.accept({ app_name: 'other', hosts: [host] })).rejects.toMatchObject({
        code: 'domain_taken',
      });
    }
    // The configuration of what fails or is cancelled is none.
    await process.goWrong({ config: { domains: ['b.example'], port: 0 } }, false);
    await process.cancel((await process.accept({ config: { domains: ['c.example'] } })).id);
    expect(await owners()).toMatchObject([{ host: 'a.example' }, { host: 'next.example' }]);

    await process.goLive({ config: { domains: [], strategy: DEFAULT_STRATEGIES.rolling } });
    expect(await owners()).toEqual([]);
    await process.goLive({ app_name: 'other', config: { domains: ['a.example', 'next.example'] } });
  });

  it('is asked for by every order that would serve there, whether it names it or not', async () => {
    const strategy = { ...DEFAULT_STRATEGIES.blue_green, preview_host: 'next.example' };
    await process.goLive({ config: { strategy, domains: ['a.example'] } });
    // As versions of FlukeDeploy have left it that freed what did not serve.
    await test.database.query('delete from domains');
    await process.goLive({ app_name: 'other', config: { domains: ['next.example'] } });

    const field = { path: 'strategy.preview_host', message: 'next.example belongs to another app' };
    await expect(process.accept()).rejects.toMatchObject({ code: 'domain_taken', fields: [field] });
    expect(await owners()).toEqual([{ host: 'next.example', app_name: 'other' }]);
    await process.goLive({ config: { strategy: DEFAULT_STRATEGIES.rolling } });
    expect(await owners()).toMatchObject([{ host: 'a.example', app_name: 'api-server' }, { app_name: 'other' }]);
  });

  it('that is configured cannot be the preview as well, unless nothing is shown there', async () => {
    const strategy = { ...DEFAULT_STRATEGIES.blue_green, preview_host: 'next.example' };
    await process.goLive({ config: { strategy } });
    const both = { config: { domains: ['a.example', 'next.example'] } };
    for (const kind of ['deploy', 'config'] as const) {
      const refusal = { code: 'strategy_unsupported', fields: [{ path: 'strategy.preview_host' }] };
      await expect(process.accept({ kind, ...both })).rejects.toMatchObject(refusal);
    }
    await process.goLive({ kind: 'rollback', ...both });
    for (const kind of ['restart', 'scale'] as const) await process.goLive({ kind });
  });

  it('of another app gets no requests, whatever an order has claimed', async () => {
    const { id } = await process.accept();
    const claim = await process.reach(id, 'deploy');
    const before = await process.shift(claim, { hosts: ['b.example'] });
    await process.accept({ app_name: 'other', hosts: ['a.example'] });
    await expect(process.shift(claim, { hosts: ['a.example', 'b.example'] })).rejects.toMatchObject(taken);
    expect((await process.apps.find(app))?.traffic).toEqual(before);
    expect(await process.apps.traffic()).toEqual([before]);
  });

  it('is never without an owner while an order for it and the end of the one before come together', async () => {
    for (let round = 0; round < 15; round++) {
      const app_name = `round-${round}`;
      const hosts = [`r${round}.example`];
      const { id } = await process.accept({ app_name, hosts });
      const claim = await process.reach(id, 'deploy');
      const [, next] = await Promise.all([others[0]!.fail(claim, 'unhealthy'), others[1]!.accept({ app_name, hosts })]);
      expect(await test.database.query('select app_name from domains where host = $1', hosts)).toEqual([{ app_name }]);
      await process.cancel(next.id);
    }
  });

  it('that was just given up is really had by the one who gets it', async () => {
    for (let round = 0; round < 15; round++) {
      const hosts = [`g${round}.example`];
      const { id } = await process.accept({ app_name: 'giver', hosts });
      const [, taken] = await Promise.allSettled([
        others[0]!.cancel(id),
        others[1]!.accept({ app_name: 'taker', hosts }),
      ]);
      const owner = await test.database.query('select app_name from domains where host = $1', hosts);
      expect(owner).toEqual(taken.status === 'fulfilled' ? [{ app_name: 'taker' }] : []);
      if (taken.status === 'fulfilled') await process.cancel(taken.value.id);
    }
  });
});

it('ends deployments and takes orders for the same app at once, and neither waits for the other for ever', async () => {
  await process.goLive();
  for (let round = 0; round < 10; round++) {
    const { id } = await process.accept();
    const claim = await process.reach(id, 'deploy');
    await process.shift(claim);
    const orders = await Promise.all([
      ...[0, 1, 2, 3].map((number) => others[number % 2]!.accept()),
      others[0]!.fail(claim, 'unhealthy').then(() => process.record(id)),
    ]);
    for (const order of orders.slice(0, 4)) await process.cancel(order.id);
    const back = await orderOf(id);
    const undoing = await process.reach(back, 'deploy');
    await Promise.all([
      others[1]!.fail(undoing, 'unhealthy'),
      process.accept().then((order) => process.cancel(order.id)),
      // Whoever still writes to the one that is rolled back.
      ...[0, 1, 2].map(() => others[0]!.log.append({ deployment_id: id, items: [] })),
    ]);
  }
});
