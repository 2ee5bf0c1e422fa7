/** Apps in PostgreSQL between their deployments: what is known of them, what is still needed, and who may tidy up when. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { DEFAULT_CONFIG } from '../../src/domain/app-spec.js';
import { DeployError } from '../../src/domain/errors.js';
import type { Retiring } from '../../src/domain/traffic.js';
import { emptyStores } from '../support/empty-stores.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

let test: TestDatabase;
let process: StoreProcess;
/** Another process, with connections of its own. */
let other: StoreProcess;

beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
  other = new StoreProcess(new Database(test.database.url), { instance: 'test/2' });
});
beforeEach(() => emptyStores(test.database));
afterAll(async () => {
  await other.database.close();
  await test.stop();
});

const app = { app_name: 'api-server', environment: 'production' };
const all = { limit: 100, offset: 0 };
const retiring: Retiring = {
  service: 'api-server_r1',
  not_before: '2026-02-03T10:00:00.000Z',
  until: '2026-02-03T10:00:30.000Z',
};

/** Resolves in the middle of `run`, which goes on when `leave` is called. */
function meeting(): { run: () => Promise<void>; entered: Promise<void>; leave: () => void } {
  let [enter, leave] = [() => {}, () => {}];
  const entered = new Promise<void>((resolve) => (enter = resolve));
  const left = new Promise<void>((resolve) => (leave = resolve));
  const run = (): Promise<void> => {
    enter();
    return left;
  };
  return { run, entered, leave };
}

/** How many connections wait for a lock of this kind. */
const waiting = async (kind: 'advisory' | 'transactionid'): Promise<number> => {
  const rows = await test.database.query(`select 1 from pg_locks where locktype = $1 and not granted`, [kind]);
  return rows.length;
};

describe('an app', () => {
  it('is known from its first order, and has a configuration from its first success', async () => {
    expect(await process.apps.find(app)).toBeUndefined();
    expect(await process.apps.list()).toEqual([]);
    const { id } = await process.accept({ project: 'shop' });
    expect(await process.apps.find(app)).toEqual({ ...app, project: 'shop', retiring: [] });

    const claim = await process.reach(id, 'deploy');
    const traffic = await process.shift(claim);
    await process.succeed(claim, { image: 'one' });
    const { config, state } = await process.finish(id);
    const live = { release: 1, version: 'v1', image: 'one', deployment_id: id, created_at: state.finished_at };
    const known = { ...app, project: 'shop', config, live_release: 1, live_deployment: id };
    const record = { ...known, live, traffic, retiring: [] };
    expect(await process.apps.find(app)).toEqual(record);
    expect(await process.apps.list()).toEqual([record]);
  });

  it('is listed by name and environment, for those whose names or patterns are given', async () => {
    for (const app_name of ['web', 'shop-web', 'shop-api']) await process.accept({ app_name });
    await process.accept({ app_name: 'shop-api', environment: 'staging' });
    const names = async (apps?: string[]): Promise<string[]> =>
      (await process.apps.list(apps)).map(({ app_name, environment }) => `${app_name} ${environment}`);
    const [api, staging, web] = ['shop-api production', 'shop-api staging', 'shop-web production'];
    expect((await names()).toSorted()).toEqual([api, staging, web, 'web production']);
    expect(await names(['shop-*'])).toEqual([api, staging, web]);
    expect(await names(['web', 'shop-web'])).toEqual([web, 'web production']);
    expect(await names(['none'])).toEqual([]);
    expect(await names([])).toEqual([]);
  });

  it('has its releases, the newest first, in pages with the total of all', async () => {
    for (let number = 0; number < 3; number++) await process.goLive({}, `image-${number}`);
    await process.goLive({ environment: 'staging' });
    const page = async (limit: number, offset: number): Promise<[number[], number]> => {
      const { releases, total } = await process.apps.releases(app, { limit, offset });
      return [releases.map(({ release }) => release), total];
    };
    expect(await page(2, 0)).toEqual([[3, 2], 3]);
    expect(await page(2, 2)).toEqual([[1], 3]);
    expect(await page(2, 4)).toEqual([[], 3]);
    expect(await process.apps.releases({ ...app, app_name: 'other' }, all)).toEqual({ releases: [], total: 0 });

    expect((await process.apps.release(app, { release: 2 }))?.image).toBe('image-1');
    expect(await process.apps.release(app, { release: 4 })).toBeUndefined();
    expect(await process.apps.release({ ...app, environment: 'staging' }, { release: 2 })).toBeUndefined();
  });
});

describe('whileIdle', () => {
  it('gives the app as it is, and keeps what retires from then on', async () => {
    await process.goLive();
    const known = await process.apps.find(app);
    let given: unknown;
    const done = await process.apps.whileIdle(app, async (record) => {
      given = record;
      return [retiring];
    });
    expect([done, given]).toEqual([true, known]);
    expect(await process.apps.find(app)).toEqual({ ...known, retiring: [retiring] });
    // The next deployment counts on it.
    expect((await process.start()).state.base?.retiring).toEqual([retiring]);
  });

  it('does nothing while a deployment runs, nor for an app that is not there', async () => {
    const never = async (): Promise<Retiring[]> => {
      throw new Error('it must not run');
    };
    expect(await process.apps.whileIdle(app, never)).toBe(false);
    await process.start();
    expect(await process.apps.whileIdle(app, never)).toBe(false);
    // One that only waits changes nothing yet, and other places are none of its business.
    await process.accept({ environment: 'staging' });
    expect(await process.apps.whileIdle({ ...app, environment: 'staging' }, async () => [])).toBe(true);
  });

  it('keeps deployments from starting until it is done, and they begin with what it has left', async () => {
    await process.goLive();
    const { id } = await process.accept();
    const { run, entered, leave } = meeting();
    const idle = process.apps.whileIdle(app, async () => {
      await run();
      return [retiring];
    });
    await entered;
    const started = other.claims.startWaiting(app);
    await until(async () => (await waiting('transactionid')) > 0, 'the start waits');
    expect((await process.record(id)).state.started_at).toBeUndefined();
    leave();
    expect(await idle).toBe(true);
    expect(await started).toMatchObject([{ deployment_id: id }]);
    expect((await process.record(id)).state.base?.retiring).toEqual([retiring]);
  });

  it('runs once at a time', async () => {
    await process.goLive();
    let [inside, most] = [0, 0];
    const work = async (): Promise<Retiring[]> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      return [];
    };
    await Promise.all([process, other, process, other].map(({ apps }) => apps.whileIdle(app, work)));
    expect(most).toBe(1);
  });

  it('changes nothing where the work fails', async () => {
    await process.goLive();
    const failure = new DeployError('docker_unavailable');
    await expect(process.apps.whileIdle(app, () => Promise.reject(failure))).rejects.toBe(failure);
    expect((await process.apps.find(app))?.retiring).toEqual([]);
    expect(await process.apps.whileIdle(app, async () => [])).toBe(true);
  });
});

describe('remove', () => {
  it('forgets everything of the app but its deployments and their log', async () => {
    const { id } = await process.goLive({ hosts: ['a.example'] });
    const staging = await process.goLive({ environment: 'staging', hosts: ['b.example'] });
    await process.apps.remove(app);

    expect(await process.apps.find(app)).toBeUndefined();
    expect((await process.apps.releases(app, all)).total).toBe(0);
    expect((await process.apps.traffic()).map(({ environment }) => environment)).toEqual(['staging']);
    expect(await test.database.query('select host from domains')).toEqual([{ host: 'b.example' }]);
    expect((await process.record(id)).state.status).toBe('success');
    const { rows } = await process.log.query({ deployment_id: id }, { limit: 1, offset: 0 });
    expect(rows).toHaveLength(1);
    // The other environment has lost nothing.
    expect((await process.apps.find({ ...app, environment: 'staging' }))?.live_deployment).toBe(staging.id);
    await process.accept({ app_name: 'heir', hosts: ['a.example'] });
  });

  it('of an app that is gone is no error', async () => {
    await process.apps.remove(app);
  });

  it('is remembered until nothing is left, and a later life of the app counts on', async () => {
    const place = { ...app, environment: 'remembered' };
    await process.goLive({ environment: place.environment, hosts: ['kept.example'] });
    const removal = await process.apps.remove(place);
    expect(removal).toMatchObject({ ...place, release: 1, releases: 1, volumes: [] });
    // As often as it is asked for.
    expect(await other.apps.remove(place)).toEqual(removal);

    const { state } = await process.goLive({ environment: place.environment });
    expect(state.identity.release).toBe(2);
    const later = await process.apps.remove(place);
    expect(later).toMatchObject({ release: 2, releases: 1 });
    // The end of the first life says nothing about the second one.
    await process.apps.removed(removal!);
    expect(await process.apps.remove(place)).toEqual(later);
    await process.apps.removed(later!);
    expect(await process.apps.remove(place)).toBeUndefined();
  });

  it('and a new order at the same moment: either the app is gone before it, or it keeps the app', async () => {
    for (let round = 0; round < 20; round++) {
      const environment = `race-${round}`;
      const place = { ...app, environment };
      await process.goLive({ environment });
      const [removal, record] = await Promise.all([
        other.apps.remove(place).catch((error: unknown) => (error as DeployError).code),
        process.accept({ environment }),
      ]);
      expect(record.state.identity.release).toBe(2);
      const left = await process.apps.find(place);
      if (removal === 'deployment_in_progress') expect(left?.live_release).toBe(1);
      else {
        expect(removal).toMatchObject({ release: 1 });
        expect(left).toMatchObject(place);
        expect(left).not.toHaveProperty('live_release');
      }
      await process.cancel(record.id);
    }
  });

  it('and whileIdle may come together', async () => {
    for (let round = 0; round < 10; round++) {
      const { environment } = (await process.goLive({ environment: `round-${round}` })).state.identity;
      const place = { ...app, environment };
      await Promise.all([other.apps.remove(place), process.apps.whileIdle(place, async () => [])]);
      expect(await process.apps.find(place)).toBeUndefined();
    }
  });
});

describe('images in use', () => {
  it('are those of the newest releases of each app, and of the live one however old', async () => {
    for (const number of [1, 2, 3]) await process.goLive({}, `api-${number}`);
    await process.goLive({ app_name: 'other' }, 'other-1');
    expect((await process.apps.imagesInUse(2)).images.toSorted()).toEqual(['api-2', 'api-3', 'other-1']);
    await test.database.query('update apps set live_release = 1 where app_name = $1', ['api-server']);
    expect((await process.apps.imagesInUse(1)).images.toSorted()).toEqual(['api-1', 'api-3', 'other-1']);
  });

  it('are those of deployments under way: what they have built, and what they go back to', async () => {
    const live = await process.goLive({}, 'api-1');
    for (const image of ['api-2', 'api-3']) await process.goLive({}, image);
    const building = await process.accept();
    const source = { kind: 'release', release: 1, version: 'v1', image: 'api-1' } as const;
    const back = await process.accept({ app_name: 'other', source });
    const built = await process.reach(building.id, 'build');
    await process.succeed(built, { image: 'api-4' });

    const { images, deployments } = await process.apps.imagesInUse(1);
    expect([...new Set(images)].toSorted()).toEqual(['api-1', 'api-3', 'api-4']);
    expect(deployments).toEqual(expect.arrayContaining([building.id, back.id]));
    expect(deployments).not.toContain(live.id);
  });

  it('belong to whatever serves, though its release is old', async () => {
    const first = await process.goLive({}, 'api-1');
    const second = await process.accept();
    // It succeeds, but the requests stay where they were.
    await process.finish(second.id, { image: 'api-2' });
    expect((await process.apps.imagesInUse(1)).deployments.toSorted()).toEqual([first.id, second.id]);
  });

  it('are none of an app that is gone', async () => {
    await process.goLive({}, 'api-1');
    await process.apps.remove(app);
    expect(await process.apps.imagesInUse(5)).toEqual({ images: [], deployments: [] });
  });
});

describe('exclusively', () => {
  it('answers what the work answers', async () => {
    expect(await process.apps.exclusively('task', false, async () => 7)).toBe(7);
    expect(await process.apps.exclusively('task', true, async () => 8)).toBe(8);
  });

  it('runs in one process at a time: the other one leaves it, or waits', async () => {
    const { run, entered, leave } = meeting();
    const first = process.apps.exclusively('task', false, run);
    await entered;
    let second = 'not run';
    expect(await other.apps.exclusively('task', false, async () => (second = 'run'))).toBeUndefined();
    expect(second).toBe('not run');
    expect(await other.apps.exclusively('another task', false, async () => 'run')).toBe('run');

    const third = other.apps.exclusively('task', true, async () => (second = 'run'));
    await until(async () => (await waiting('advisory')) > 0, 'the other process waits');
    expect(second).toBe('not run');
    leave();
    await first;
    expect(await third).toBe('run');
  });

  it('lets one of two in that come at once', async () => {
    const { run, leave } = meeting();
    const both = [process, other].map(({ apps }) => apps.exclusively('task', false, () => run().then(() => 'run')));
    // Whoever was refused is done at once; the other one stays until we let it go.
    expect(await Promise.race(both)).toBeUndefined();
    leave();
    expect((await Promise.all(both)).filter((answer) => answer === 'run')).toHaveLength(1);
  });

  it('is free again after work that failed, whose error comes as it was', async () => {
    for (const failure of [new DeployError('edge_unavailable'), new Error('the request timed out: timeout')]) {
      await expect(process.apps.exclusively('task', true, () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await other.apps.exclusively('task', false, async () => 'free')).toBe('free');
    }
  });

  it('is free again when the connection of its process breaks', async () => {
    const { run, entered, leave } = meeting();
    const first = process.apps.exclusively('task', false, run);
    await entered;
    await test.database.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and pid <> pg_backend_pid()`,
    );
    expect(await other.apps.exclusively('task', true, async () => 'free')).toBe('free');
    leave();
    await first;
    // The process itself goes on with a new connection.
    expect(await process.apps.exclusively('task', false, async () => 'again')).toBe('again');
  });
});

it('knows configurations of every version as they were stored', async () => {
  await process.accept();
  await test.database.query('update apps set config = $1', [JSON.stringify(DEFAULT_CONFIG)]);
  expect((await process.apps.find(app))?.config).toEqual(DEFAULT_CONFIG);
});
