/** Deployments in PostgreSQL: orders become deployments once and only once, and what is looked up is what there is. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCursor } from '../../src/domain/cursor.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import type { DeploymentFilter, DeploymentRecord, PlacedDeployment } from '../../src/domain/ports.js';
import { orderOf } from '../support/deployment-order.js';
import { emptyStores } from '../support/empty-stores.js';
import { assertSummariesAreFolds } from '../support/fold-check.js';
import { StoreProcess } from '../support/store-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const RETENTION_DAYS = 30;

let test: TestDatabase;
let process: StoreProcess;

beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database, { retention_days: RETENTION_DAYS });
});
afterEach(() => assertSummariesAreFolds(test.database));
afterAll(() => test.stop());

const idsOf = (deployments: readonly PlacedDeployment[]): string[] => deployments.map(({ state }) => state.identity.id);
const ids = (records: readonly DeploymentRecord[]): string[] => records.map(({ id }) => id);
const outcome = (error: unknown): unknown => (error as { code?: unknown }).code;
const failFirstPhase = async (id: string): Promise<void> => {
  await process.claims.startWaiting((await process.record(id)).state.identity);
  await process.fail(await process.held(id), 'build_failed');
};
const cancelAll = async (...records: readonly DeploymentRecord[]): Promise<void> => {
  for (const { id } of records) await process.cancel(id);
};

describe('accept', () => {
  it('numbers the releases of each app in each environment from 1', async () => {
    const releases: [string, string, number][] = [];
    for (const app_name of ['count-a', 'count-b', 'count-a']) {
      for (const environment of ['production', 'staging']) {
        const { state } = await process.accept({ app_name, environment });
        releases.push([app_name, environment, state.identity.release]);
      }
    }
    expect(releases).toEqual([
      ['count-a', 'production', 1],
      ['count-a', 'staging', 1],
      ['count-b', 'production', 1],
      ['count-b', 'staging', 1],
      ['count-a', 'production', 2],
      ['count-a', 'staging', 2],
    ]);
  });

  it('gives racing orders of one app different releases', async () => {
    const records = await Promise.all(Array.from({ length: 12 }, () => process.accept({ app_name: 'racing' })));
    const releases = records.map(({ state }) => state.identity.release);
    expect(releases.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  it.each([
    ['the version that was asked for', { version: '2.4.1' }, '2.4.1'],
    ["the image's tag", { source: { kind: 'image', image: 'registry.example:5000/api:1.2' } }, '1.2'],
    ['the release, where the tag says nothing', { source: { kind: 'image', image: 'nginx:latest' } }, 'v1'],
    [
      'the commit',
      { source: { kind: 'git', url: 'https://git.example/a', ref: 'main', commit: '0123456789abcdef'.repeat(2) } },
      '0123456789ab',
    ],
    ['the release', {}, 'v1'],
  ] as const)('takes as version %s', async (name, fields, version) => {
    const app_name = `version-${name.replaceAll(/[^a-z]/g, '-')}`;
    expect((await process.accept({ app_name, ...fields })).state.identity.version).toBe(version);
  });

  it('stores the order with its first entry', async () => {
    const order = orderOf({
      app_name: 'stored',
      config: { replicas: 3, env: { KEY: 'sealed' } },
      reason: 'a "reason" 🚀',
    });
    const { record, replayed } = await process.deployments.accept(order);
    expect(replayed).toBe(false);
    expect(record).toMatchObject({ id: order.identity.id, spec: order.spec, fence: 0, state: { status: 'pending' } });
    expect(record.state.identity).toEqual({ ...order.identity, release: 1, version: 'v1' });
    expect(record.config).toBeUndefined();
    expect(await process.deployments.find(record.id)).toEqual(record);

    const { rows } = await process.log.query({ deployment_id: record.id }, { limit: 10, offset: 0 });
    expect(rows.map(({ sequence, message }) => [sequence, message])).toEqual([
      [1, expect.stringContaining('stored v1 to production requested')],
    ]);
  });

  it('answers undefined for a deployment that nobody asked for', async () => {
    expect(await process.deployments.find('dep-unknown')).toBeUndefined();
  });

  it('knows the apps that were ever asked for', async () => {
    await process.accept({ app_name: 'known' });
    expect(await process.deployments.appExists('known')).toBe(true);
    expect(await process.deployments.appExists('unknown')).toBe(false);
  });
});

describe('the outlook', () => {
  const place = (app_name: string) => ({ app_name, environment: 'production' });

  it('is that of an order to come, and changes nothing', async () => {
    expect(await process.deployments.outlook(place('to-come'), ['a.test'])).toEqual({
      next_release: 1,
      foreign_hosts: [],
    });
    const { id, state } = await process.accept({ app_name: 'to-come' });
    expect(state.identity.release).toBe(1);
    expect(await process.deployments.outlook(place('to-come'), [])).toMatchObject({ next_release: 2, in_progress: id });
    await process.cancel(id);
    expect(await process.deployments.outlook(place('to-come'), [])).toEqual({ next_release: 2, foreign_hosts: [] });
    expect(await process.deployments.outlook({ app_name: 'to-come', environment: 'staging' }, [])).toMatchObject({
      next_release: 1,
    });
  });

  it('names the hosts of others, those of its other environments as well', async () => {
    const { id } = await process.accept({ app_name: 'host-owner', hosts: ['b.test', 'a.test'] });
    const asked = ['a.test', 'b.test', 'free.test'];
    const hostsFor = async (app_name: string, environment = 'production') =>
      (await process.deployments.outlook({ app_name, environment }, asked)).foreign_hosts;
    expect(await hostsFor('host-owner')).toEqual([]);
    expect(await hostsFor('host-owner', 'staging')).toEqual(['a.test', 'b.test']);
    expect(await hostsFor('host-other')).toEqual(['a.test', 'b.test']);
    await process.cancel(id);
    expect(await hostsFor('host-other')).toEqual([]);
  });
});

describe('an idempotency key', () => {
  it('answers the same deployment to the same order', async () => {
    const idempotency = { key: 'same', fingerprint: 'one' };
    const first = await process.deployments.accept(orderOf({ app_name: 'once', idempotency }));
    const second = await process.deployments.accept(orderOf({ app_name: 'once', idempotency }));
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(second.record).toEqual(first.record);
    expect((await process.accept({ app_name: 'once' })).state.identity.release).toBe(2);
  });

  it('answers what has become of the deployment', async () => {
    const idempotency = { key: 'later', fingerprint: 'one' };
    const { id } = await process.accept({ app_name: 'later', idempotency });
    await process.cancel(id);
    const { record } = await process.deployments.accept(orderOf({ app_name: 'later', idempotency }));
    expect(record.state.status).toBe('cancelled');
  });

  it('is refused with another order', async () => {
    await process.accept({ app_name: 'other', idempotency: { key: 'other', fingerprint: 'one' } });
    const again = process.accept({ app_name: 'other', idempotency: { key: 'other', fingerprint: 'two' } });
    await expect(again).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it.each(['queue', 'supersede', 'reject'] as const)(
    'makes one deployment of ten requests that race (on_conflict %s)',
    async (on_conflict) => {
      const app_name = `race-${on_conflict}`;
      const idempotency = { key: app_name, fingerprint: 'one' };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => process.deployments.accept(orderOf({ app_name, on_conflict, idempotency }))),
      );
      expect(new Set(ids(answers.map(({ record }) => record))).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect((await process.deployments.list({ app_name }, { limit: 10, offset: 0 })).total).toBe(1);
    },
  );

  it('makes one deployment of two different orders that race, even for different apps', async () => {
    const answers = await Promise.allSettled(
      ['race-one', 'race-two'].map((app_name) =>
        process.accept({ app_name, idempotency: { key: 'two orders', fingerprint: app_name } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = answers.find((answer) => answer.status === 'rejected');
    expect(outcome(refused?.reason)).toBe('idempotency_key_reused');
  });
});

describe('on_conflict', () => {
  it('reject refuses while another deployment of the app is unfinished, and only then', async () => {
    const app_name = 'reject';
    const first = await process.accept({ app_name, on_conflict: 'reject' });
    await expect(process.accept({ app_name, on_conflict: 'reject' })).rejects.toMatchObject({
      code: 'deployment_in_progress',
    });
    await process.accept({ app_name, environment: 'staging', on_conflict: 'reject' });
    await process.cancel(first.id);
    const next = await process.accept({ app_name, on_conflict: 'reject' });
    expect(next.state.identity.release).toBe(2);
  });

  it('reject lets exactly one of the orders through that race', async () => {
    const race = Array.from({ length: 6 }, () => process.accept({ app_name: 'reject-race', on_conflict: 'reject' }));
    const answers = await Promise.allSettled(race);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(outcome(answer.reason)).toBe('deployment_in_progress');
    }
  });

  it('supersede names every older unfinished deployment until it has been told', async () => {
    const app_name = 'supersede';
    const running = await process.start({ app_name });
    const claim = await process.held(running.id);
    const waiting = await process.accept({ app_name });
    await process.accept({ app_name, environment: 'staging' });
    const newer = await process.accept({ app_name, on_conflict: 'supersede' });
    const after = await process.accept({ app_name });

    const pairs = [running, waiting].map(({ id }) => ({ id, superseded_by: newer.id }));
    const found = await process.claims.superseded();
    expect(found.sort((a, b) => a.id.localeCompare(b.id))).toEqual(pairs);
    await process.cancel(waiting.id);
    expect(await process.claims.superseded()).toEqual(pairs.slice(0, 1));
    // It has been told, although its worker has not stopped yet.
    expect((await process.cancel(running.id))?.state.finished_at).toBeUndefined();
    expect(await process.claims.superseded()).toEqual([]);
    await process.fail(claim, 'cancelled');
    await cancelAll(newer, after);
  });

  it('supersede names the newest of several, and none that was cancelled itself', async () => {
    const app_name = 'supersede-twice';
    const records = [
      await process.accept({ app_name }),
      await process.accept({ app_name, on_conflict: 'supersede' }),
      await process.accept({ app_name, on_conflict: 'supersede' }),
    ] as const;
    const [oldest, middle, newest] = records;
    const found = await process.claims.superseded();
    expect(found.sort((a, b) => a.id.localeCompare(b.id))).toEqual([
      { id: oldest.id, superseded_by: newest.id },
      { id: middle.id, superseded_by: newest.id },
    ]);
    await process.cancel(newest.id);
    expect(await process.claims.superseded()).toEqual([{ id: oldest.id, superseded_by: middle.id }]);
    await cancelAll(...records);
  });
});

describe('an archive', () => {
  const folder = temporaryFolder();

  const bytesOf = async (id: string): Promise<Buffer[]> => {
    const pieces: Buffer[] = [];
    for await (const piece of process.deployments.readArchive(id)) pieces.push(Buffer.from(piece));
    return pieces;
  };
  const upload = async (app_name: string, bytes: Buffer): Promise<DeploymentRecord> => {
    const archive_path = join(folder.path, 'source.tar');
    await writeFile(archive_path, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return process.accept({ app_name, archive_path, source: { kind: 'archive', bytes: bytes.length, sha256 } });
  };

  it.each([0, 1, 1024 * 1024, 5 * 1024 * 1024 + 1])('of %d bytes is read back as it was, in pieces', async (size) => {
    const bytes = randomBytes(size);
    const { id } = await upload(`archive-${size}`, bytes);
    const pieces = await bytesOf(id);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(Math.max(0, ...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
  });

  it.each([
    ['succeeds', (id: string) => process.finish(id)],
    ['is cancelled', (id: string) => process.cancel(id)],
    ['fails', (id: string) => failFirstPhase(id)],
  ] as const)('is deleted when its deployment %s, and no other', async (name, end) => {
    const bytes = randomBytes(100);
    const { id } = await upload(`archive-${name.replace(' ', '-')}`, bytes);
    const other = await upload(`archive-kept-${name.replace(' ', '-')}`, bytes);
    await end(id);
    expect(await bytesOf(id)).toEqual([]);
    expect(await bytesOf(other.id)).toEqual([bytes]);
  });

  it('that is not there leaves no deployment behind', async () => {
    const order = orderOf({ app_name: 'no-archive', archive_path: join(folder.path, 'missing.tar') });
    await expect(process.deployments.accept(order)).rejects.toThrow('ENOENT');
    expect(await process.deployments.find(order.identity.id)).toBeUndefined();
    expect(await process.deployments.appExists('no-archive')).toBe(false);
  });
});

describe('list', () => {
  const page = { limit: 100, offset: 0 };
  const apps = ['list-*'];
  let one: DeploymentRecord[];
  let two: DeploymentRecord[];
  let staging: DeploymentRecord;

  beforeAll(async () => {
    one = [await process.accept({ app_name: 'list-one' }), await process.accept({ app_name: 'list-one' })];
    two = [await process.accept({ app_name: 'list-two' })];
    staging = await process.accept({ app_name: 'list-two', environment: 'staging' });
    await process.cancel(two[0]!.id);
    await failFirstPhase(staging.id);
  });

  it('answers the newest first, in pages with the total of all', async () => {
    const newestFirst = ids([...one, ...two, staging]).reverse();
    const { deployments, total } = await process.deployments.list({ apps }, page);
    expect(idsOf(deployments)).toEqual(newestFirst);
    expect(total).toBe(4);
    expect(deployments[3]?.state).toEqual((await process.record(one[0]!.id)).state);

    for (const offset of [0, 1, 3, 4]) {
      const part = await process.deployments.list({ apps }, { limit: 2, offset });
      expect(idsOf(part.deployments)).toEqual(newestFirst.slice(offset, offset + 2));
      expect(part.total).toBe(4);
    }
  });

  it('answers only what passes the filter', async () => {
    const found = async (filter: DeploymentFilter): Promise<string[]> => {
      const { deployments, total } = await process.deployments.list(filter, page);
      expect(total).toBe(deployments.length);
      return idsOf(deployments).sort();
    };
    expect(await found({ app_name: 'list-one' })).toEqual(ids(one));
    expect(await found({ apps, environment: 'staging' })).toEqual([staging.id]);
    expect(await found({ apps: ['list-two', 'list-three'] })).toEqual(ids([...two, staging]));
    expect(await found({ apps: ['list'] })).toEqual([]);
    expect(await found({ apps: [] })).toEqual([]);
    expect(await found({ apps, statuses: ['pending'] })).toEqual(ids(one));
    expect(await found({ apps, statuses: ['failed', 'cancelled'] })).toEqual(ids([...two, staging]));
    expect(await found({ app_name: 'list-one', apps: ['list-two'] })).toEqual([]);
  });
});

describe('position', () => {
  it('counts the unfinished deployments of the app that are ahead', async () => {
    const app_name = 'position';
    const running = await process.start({ app_name });
    const next = await process.accept({ app_name });
    const last = await process.accept({ app_name });
    const elsewhere = await process.accept({ app_name, environment: 'staging' });
    const { deployments } = process;

    expect(await deployments.place(running)).toEqual({ position: 0 });
    expect(await deployments.place(next)).toEqual({ position: 1, behind: running.id });
    expect(await deployments.place(last)).toEqual({ position: 2, behind: next.id });
    expect(await deployments.place(elsewhere)).toEqual({ position: 0 });

    await process.cancel(next.id);
    expect(await deployments.place(await process.record(next.id))).toEqual({ position: 0 });
    expect(await deployments.place(last)).toEqual({ position: 1, behind: running.id });
    await process.finish(running.id);
    expect(await deployments.place(last)).toEqual({ position: 0 });
  });
});

describe('stats', () => {
  it('count deployments by their status, and the entries that are kept', async () => {
    await emptyStores(test.database);
    expect(await process.deployments.stats()).toEqual({
      total: 0,
      by_status: { pending: 0, building: 0, deploying: 0, success: 0, failed: 0, rolled_back: 0, cancelled: 0 },
      entries: 0,
    });

    const app_name = 'stats';
    const { state } = await process.finish((await process.accept({ app_name })).id);
    await process.cancel((await process.accept({ app_name })).id);
    await process.start({ app_name });
    await process.accept({ app_name });

    const stats = await process.deployments.stats();
    const { head } = await process.log.bounds();
    expect(stats.total).toBe(4);
    expect(stats.by_status).toMatchObject({ pending: 1, building: 1, success: 1, cancelled: 1, failed: 0 });
    expect(stats.entries).toBe(decodeCursor(head).position);
    expect(state.status).toBe('success');
    expect(stats.average_duration_ms).toBeGreaterThanOrEqual(0);
  });
});

describe('prune', () => {
  beforeEach(() => emptyStores(test.database));

  /** Makes everything that has been written so far older than is kept. */
  const age = async (days = RETENTION_DAYS + 1): Promise<void> => {
    await test.database.query(`update entries set at = at - $1::int * interval '1 day'`, [days]);
  };
  const ended = async (): Promise<DeploymentRecord> => {
    const record = await process.accept();
    await process.cancel(record.id);
    return record;
  };
  /** Everything that is kept, with its place; what a reader gets who begins at the beginning. */
  const kept = async (): Promise<[id: string, position: number][]> => {
    const { beginning, head } = await process.log.bounds();
    const page = await process.log.read(beginning, {}, 1_000);
    expect(page.gap).toBeUndefined();
    expect(page.next_cursor).toBe(head);
    const places = page.rows.map((row): [string, number] => [row.deployment_id, decodeCursor(row.cursor).position]);
    const first = decodeCursor(beginning).position + 1;
    expect(places.map(([, position]) => position)).toEqual(places.map((_, index) => first + index));
    expect(decodeCursor(head).position).toBe(first + places.length - 1);
    return places;
  };

  it('keeps everything that is younger than its time', async () => {
    await ended();
    await age(RETENTION_DAYS - 1);
    await ended();
    const before = await kept();
    await process.deployments.prune();
    expect(await kept()).toEqual(before);
  });

  it('cuts off what is older, and leaves the rest and the deployments themselves', async () => {
    const old = await ended();
    await age();
    const young = await ended();
    await process.deployments.prune();
    expect((await kept()).map(([id]) => id)).toEqual([young.id, young.id, young.id]);
    expect((await process.record(old.id)).state.status).toBe('cancelled');
    expect((await process.deployments.stats()).entries).toBe(3);
  });

  it('keeps the entries of an unfinished deployment however old, and all that came after them', async () => {
    const cut = await ended();
    const waiting = await process.accept({ app_name: 'waits' });
    const between = await ended();
    await age();
    await process.deployments.prune();
    const places = await kept();
    expect(places.map(([id]) => id)).toEqual([waiting.id, between.id, between.id, between.id]);
    expect(places.map(([id]) => id)).not.toContain(cut.id);

    await process.cancel(waiting.id);
    await process.deployments.prune();
    expect((await kept()).map(([id]) => id)).toEqual([waiting.id, waiting.id]);
  });

  it('goes on counting where everything was cut off', async () => {
    const old = await ended();
    await age();
    await process.deployments.prune();
    expect(await kept()).toEqual([]);
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'goes on' });
    const appended = await process.log.append({ deployment_id: old.id, items: [{ draft }] });
    expect(appended?.rows.map(({ sequence }) => sequence)).toEqual([4]);
    expect(await kept()).toEqual([[old.id, 4]]);
  });

  it('does no harm when every process does it at once', async () => {
    await ended();
    await age();
    const young = await ended();
    await Promise.all(Array.from({ length: 8 }, () => process.deployments.prune()));
    expect((await kept()).map(([id]) => id)).toEqual([young.id, young.id, young.id]);
  });

  it('forgets idempotency keys after a day, and not before', async () => {
    const order = (key: string) => orderOf({ idempotency: { key, fingerprint: 'one' } });
    const hoursAgo = (key: string, hours: number) =>
      test.database.query(
        `update idempotency_keys set created_at = now() - $2::int * interval '1 hour' where key = $1`,
        [key, hours],
      );
    for (const key of ['young', 'old']) await process.deployments.accept(order(key));
    await hoursAgo('young', 23);
    await hoursAgo('old', 25);
    await process.deployments.prune();
    expect((await process.deployments.accept(order('young'))).replayed).toBe(true);
    expect((await process.deployments.accept(order('old'))).replayed).toBe(false);
  });
});
