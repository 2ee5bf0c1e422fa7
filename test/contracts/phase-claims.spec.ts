/** Turns and leases in PostgreSQL: one deployment of an app at a time, one worker at a phase, and nobody's death stops either. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/adapters/postgres/database.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import { MAX_INTERRUPTIONS, PHASES } from '../../src/domain/phases.js';
import type { Claim, DuePhase } from '../../src/domain/ports.js';
import { emptyStores } from '../support/empty-stores.js';
import { assertPromisesKept } from '../support/store-promises.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

/** Short enough to wait for its end. */
const SHORT_LEASE_MS = 200;
/** Long enough that a busy machine does not miss a heartbeat. */
const BEATING_LEASE_MS = 1_000;

let test: TestDatabase;
let process: StoreProcess;
/** As many processes as may race, each with connections of its own. */
let crowd: StoreProcess[];

beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
  crowd = Array.from(
    { length: 8 },
    (_, index) => new StoreProcess(new Database(test.database.url), { instance: `test/${index + 2}` }),
  );
});
beforeEach(() => emptyStores(test.database));
afterEach(() => assertPromisesKept(test.database));
afterAll(async () => {
  await Promise.all(crowd.map(({ database }) => database.close()));
  await test.stop();
});

const idOf = ({ deployment_id }: DuePhase): string => deployment_id;
const app = { app_name: 'api-server', environment: 'production' };

/** The messages of a deployment's log, in order. */
const messages = async (deployment_id: string): Promise<string[]> => {
  const { rows } = await process.log.query({ deployment_id }, { limit: 1_000, offset: 0 });
  return rows.map(({ message }) => message);
};

describe('startWaiting', () => {
  it('starts the oldest deployment of every app and environment that has none running', async () => {
    const first = await process.accept();
    await process.accept();
    const staging = await process.accept({ environment: 'staging' });
    const other = await process.accept({ app_name: 'other' });

    const due = await process.claims.startWaiting();
    expect(due.map(idOf).sort()).toEqual([first.id, staging.id, other.id]);
    expect(due[0]).toMatchObject({ phase: 'pre_build', attempt: 1, delay_ms: 0 });
    expect((await process.record(first.id)).state).toMatchObject({ status: 'building' });
    expect(await process.claims.startWaiting()).toEqual([]);
  });

  it('starts only the app that it is asked for', async () => {
    const first = await process.accept();
    await process.accept({ environment: 'staging' });
    await process.accept({ app_name: 'other' });
    expect((await process.claims.startWaiting(app)).map(idOf)).toEqual([first.id]);
  });

  it('starts one of an app, once, when eight processes race', async () => {
    const first = await process.accept();
    for (let more = 0; more < 4; more++) await process.accept();
    const started = await Promise.all(crowd.map(({ claims }) => claims.startWaiting()));
    expect(started.flat().map(idOf)).toEqual([first.id]);
    expect((await messages(first.id)).filter((message) => message.startsWith('Deployment started'))).toHaveLength(1);
  });

  it('starts the deployments of an app in the order of their releases, each after the end of the one before', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 4; number++) ids.push((await process.accept()).id);
    const [running, cancelled, ...rest] = ids as [string, string, string, string];
    await process.claims.startWaiting();
    await process.cancel(cancelled);

    const order: string[] = [running];
    for (let id: string | undefined = running; id !== undefined; order.push(...(id === undefined ? [] : [id]))) {
      await process.finish(id);
      const started = (await Promise.all(crowd.map(({ claims }) => claims.startWaiting()))).flat();
      expect(started.length).toBeLessThanOrEqual(1);
      id = started[0] && idOf(started[0]);
    }
    expect(order).toEqual([running, ...rest]);
  });

  it('has the database behind it, which refuses a second one that runs', async () => {
    const [running, waiting] = [await process.start(), await process.accept()];
    const at = new Date().toISOString();
    const fact = { type: 'deployment_started', at, deadline_at: at, replicas: 1, skips: {} } as const;
    const second = process.log.append({ deployment_id: waiting.id, items: [{ fact }] });
    await expect(second).rejects.toThrow('deployments_one_running');
    expect((await process.record(waiting.id)).state.started_at).toBeUndefined();
    await process.finish(running.id);
  });

  it('answers the first phase that has something to do', async () => {
    await process.accept({ source: { kind: 'image', image: 'nginx:1' } });
    expect(await process.claims.startWaiting()).toMatchObject([{ phase: 'build', attempt: 1 }]);
  });

  it("sets the deadline by the deployment's own time", async () => {
    const { state } = await process.start({ timeout_ms: 90_000 });
    expect(Date.parse(state.deadline_at!) - Date.parse(state.started_at!)).toBe(90_000);
  });
});

describe('the configuration', () => {
  it('is that of the last success, with what the order changes', async () => {
    const first = await process.start({ config: { replicas: 3, env: { A: '1' }, port: 8080 } });
    expect(first.config).toMatchObject({ replicas: 3, env: { A: '1' }, port: 8080, strategy: { type: 'rolling' } });
    await process.finish(first.id);

    const second = await process.start({ config: { replicas: 5 } });
    expect(second.config).toEqual({ ...first.config, replicas: 5 });
    expect(second.state.replicas).toBe(5);
    expect(await messages(second.id)).toContain('Configuration changes: replicas');
    await process.finish(second.id);

    const third = await process.start();
    expect(third.config).toEqual(second.config);
    expect((await messages(third.id)).join()).not.toContain('Configuration changes');
  });

  it('is adopted from a success only', async () => {
    const good = await process.start({ config: { replicas: 2 } });
    await process.finish(good.id);
    const bad = await process.start({ config: { replicas: 7 } });
    await process.fail(await process.held(bad.id), 'build_failed');
    const gone = await process.start({ config: { replicas: 8 } });
    await process.cancel(gone.id);
    const next = await process.start();
    expect(next.config?.replicas).toBe(2);
  });

  it('belongs to the app in its environment', async () => {
    const { id } = await process.start({ config: { replicas: 4 } });
    await process.finish(id);
    expect((await process.start({ environment: 'staging' })).config?.replicas).toBe(1);
    expect((await process.start({ app_name: 'other' })).config?.replicas).toBe(1);
  });

  it('is merged when the turn has come, not when the order is given', async () => {
    const first = await process.start({ config: { replicas: 2 } });
    const waiting = await process.accept({ config: { port: 9000 } });
    await process.finish(first.id);
    await process.claims.startWaiting();
    expect((await process.record(waiting.id)).config).toMatchObject({ replicas: 2, port: 9000 });
  });
});

describe('claim', () => {
  it('is won by one of twenty', async () => {
    const { id } = await process.start();
    const racers = Array.from({ length: 20 }, (_, index) => crowd[index % crowd.length]!);
    const claims = await Promise.all(racers.map((racer) => racer.claims.claim(id, 'pre_build')));
    const won = claims.filter((claim) => claim !== undefined);
    expect(won).toHaveLength(1);
    expect(won[0]).toMatchObject({ phase: 'pre_build', attempt: 1, fence: 1, record: { id, fence: 1 } });
    expect(won[0]?.record.state.phases.pre_build).toMatchObject({ status: 'running', attempt: 1, interruptions: 0 });
    expect(await process.record(id)).toEqual(won[0]?.record);
    expect(won[0]?.config).toEqual(won[0]?.record.config);
    expect((await messages(id)).filter((message) => message === 'Pre-build checks started')).toHaveLength(1);
  });

  it('raises the fence from phase to phase', async () => {
    const { id } = await process.start();
    const fences: number[] = [];
    const phases: string[] = [];
    for (let claim = await process.claimNext(id); claim !== undefined; claim = await process.claimNext(id)) {
      fences.push(claim.fence);
      phases.push(claim.phase);
      await process.succeed(claim, { image: `image-of-${claim.phase}` });
    }
    expect(phases).toEqual(PHASES);
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
    expect((await process.record(id)).state).toMatchObject({
      status: 'success',
      outputs: { image: 'image-of-post_deploy' },
    });
  });

  it('is refused for what is not there, not started, not next, or over', async () => {
    expect(await process.claims.claim('dep-unknown', 'build')).toBeUndefined();
    const running = await process.start();
    const waiting = await process.accept();
    expect(await process.claims.claim(waiting.id, 'pre_build')).toBeUndefined();
    expect(await process.claims.claim(running.id, 'build')).toBeUndefined();
    await process.succeed(await process.held(running.id));
    expect(await process.claims.claim(running.id, 'pre_build')).toBeUndefined();
    await process.finish(running.id);
    for (const phase of PHASES) expect(await process.claims.claim(running.id, phase)).toBeUndefined();
  });

  it('is refused before a retry is due', async () => {
    const { id } = await process.start();
    await process.succeed(await process.held(id));
    // The second attempt of a build waits at least a second, which is far more than a claim may come too early.
    const failed = await process.fail(await process.held(id), 'registry_unreachable');
    expect(failed?.decision).toMatchObject({ kind: 'run', phase: 'build', attempt: 2 });
    expect(await process.claims.claim(id, 'build')).toBeUndefined();
    expect((await process.claims.due(10)).map(idOf)).toEqual([]);

    const claim = await until(() => process.claims.claim(id, 'build'), 'the retry is due');
    expect(claim).toMatchObject({ phase: 'build', attempt: 2 });
    expect(claim.record.state.phases.build).toMatchObject({ status: 'running', interruptions: 0 });
  });

  it('does not wait anew because lines of output come in', async () => {
    const { id } = await process.start();
    await process.fail(await process.held(id), 'registry_unreachable');
    const dueAt = () => test.database.query('select due_at from deployments where id = $1', [id]);
    const before = await dueAt();
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'a late line' });
    await process.log.append({ deployment_id: id, items: [{ draft }] });
    expect(await dueAt()).toEqual(before);
  });

  it('ends the deployment when a phase has failed too often, or once where trying again is of no use', async () => {
    const { id } = await process.start();
    for (let attempt = 1; attempt <= 3; attempt++) {
      await process.passBackoff(id);
      const claim = await process.held(id);
      expect(claim.attempt).toBe(attempt);
      await process.fail(claim, 'registry_unreachable');
    }
    expect((await process.record(id)).state).toMatchObject({
      status: 'failed',
      error: { code: 'registry_unreachable' },
    });

    const once = await process.start();
    await process.fail(await process.held(once.id), 'build_failed');
    expect((await process.record(once.id)).state).toMatchObject({ status: 'failed', failed_phase: 'pre_build' });
  });

  it('is given back with the commit, so that the next phase can be had at once', async () => {
    const { id } = await process.start();
    await process.succeed(await process.held(id));
    expect(await process.claims.claim(id, 'build')).toMatchObject({ phase: 'build' });
  });

  it('goes to another worker when it is handed over, as the same attempt without an interruption', async () => {
    const { id } = await process.start();
    const first = await process.held(id);
    await process.release(first);
    const second = await crowd[0]!.held(id);
    expect(second).toMatchObject({ phase: first.phase, attempt: 1 });
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(second.record.state.phases.pre_build.interruptions).toBe(0);
  });
});

describe('a lease', () => {
  let brief: StoreProcess;
  beforeAll(() => {
    brief = new StoreProcess(test.database, { instance: 'test/brief', lease_ms: SHORT_LEASE_MS });
  });

  it('keeps everybody else away until it runs out', async () => {
    const { id } = await process.start();
    await process.held(id);
    expect(await Promise.all(crowd.map((other) => other.claimNext(id)))).toEqual(crowd.map(() => undefined));
    await process.expireLease(id);
    const claims = await Promise.all(crowd.map((other) => other.claimNext(id)));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
  });

  it('that runs out lets the next worker take over and shuts the dead one out', async () => {
    const { id } = await process.start();
    const dead = await brief.held(id);
    const taker = crowd[0]!;
    const claim = await until(() => taker.claimNext(id), 'the lease runs out');
    expect(claim).toMatchObject({ phase: 'pre_build', attempt: 1 });
    expect(claim.fence).toBeGreaterThan(dead.fence);
    expect(claim.record.state.phases.pre_build.interruptions).toBe(1);
    expect(await messages(id)).toContain('Pre-build checks started again: the worker before was lost');

    const before = await process.log.bounds();
    expect(await brief.succeed(dead)).toBeUndefined();
    expect(await brief.claims.heartbeat(dead)).toBe('lost');
    expect(await process.log.bounds()).toEqual(before);
    expect((await taker.succeed(claim))?.decision).toMatchObject({ kind: 'run', phase: 'build' });
  });

  it('lasts as long as the heart beats', async () => {
    const { id } = await process.start();
    const beating = new StoreProcess(test.database, { instance: 'test/beating', lease_ms: BEATING_LEASE_MS });
    const claim = await beating.held(id);
    const leaseOf = async (): Promise<Date> =>
      (await test.database.query<{ lease_until: Date }>('select lease_until from deployments'))[0]!.lease_until;
    const first = await leaseOf();
    // Beats until the first lease would be over, by the database's clock.
    await until(async () => {
      expect(await beating.claims.heartbeat(claim)).toBe('held');
      expect(await crowd[0]!.claimNext(id)).toBeUndefined();
      return (await leaseOf()).getTime() - first.getTime() > 1.5 * BEATING_LEASE_MS;
    }, 'the lease is prolonged beyond its first end');
    expect((await beating.succeed(claim))?.state.phases.pre_build.status).toBe('succeeded');
  });

  it('ends with the phase: a worker that has given it back has nothing to prolong', async () => {
    const { id } = await process.start();
    const claim = await process.held(id);
    await process.succeed(claim);
    expect(await process.claims.heartbeat(claim)).toBe('lost');
    const last = await process.held(id);
    await process.fail(last, 'build_failed');
    expect(await process.claims.heartbeat(last)).toBe('lost');
  });

  it('that is given back ends the right to commit: a commit whose answer was lost is not written again', async () => {
    const { id } = await process.start();
    const claim = await process.held(id);
    expect(await process.succeed(claim)).toBeDefined();
    const before = await process.log.bounds();
    expect(await process.succeed(claim)).toBeUndefined();
    expect(await process.log.bounds()).toEqual(before);
  });

  it(`fails the deployment when its workers have died ${MAX_INTERRUPTIONS} times in one attempt`, async () => {
    const { id } = await process.start();
    for (let death = 0; death < MAX_INTERRUPTIONS; death++) {
      const claim = await process.held(id);
      expect(claim.record.state.phases.pre_build.interruptions).toBe(death);
      await process.expireLease(id);
    }
    expect(await process.claimNext(id)).toBeUndefined();
    expect((await process.record(id)).state).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_build',
      error: { code: 'worker_lost' },
    });
    expect(await process.claims.due(10)).toEqual([]);
  });

  it('counts the deaths of each attempt from none', async () => {
    const { id } = await process.start();
    for (let death = 1; death < MAX_INTERRUPTIONS; death++) {
      await process.held(id);
      await process.expireLease(id);
    }
    await process.fail(await process.held(id), 'registry_unreachable');
    await process.passBackoff(id);
    const second = await process.held(id);
    expect(second).toMatchObject({ attempt: 2 });
    expect(second.record.state.phases.pre_build.interruptions).toBe(0);
  });
});

describe('cancel', () => {
  it('ends at once what nobody works on: a waiting deployment, and one between two phases', async () => {
    const between = await process.start();
    const waiting = await process.accept();
    await process.succeed(await process.held(between.id));
    for (const { id } of [between, waiting]) {
      expect((await process.cancel(id))?.state).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
      expect(await process.claimNext(id)).toBeUndefined();
    }
  });

  it('ends at once what waits for its retry', async () => {
    const { id } = await process.start();
    await process.fail(await process.held(id), 'registry_unreachable');
    expect((await process.cancel(id))?.state.status).toBe('cancelled');
  });

  it('reaches the running worker by its heartbeat, whose end is the end', async () => {
    const { id } = await process.start();
    const claim = await process.held(id);
    expect((await process.cancel(id))?.state.status).toBe('building');
    expect(await process.claims.heartbeat(claim)).toBe('cancelled');
    expect((await process.fail(claim, 'cancelled'))?.state).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled', message: 'Cancelled: a test' },
    });
  });

  it('of a deployment whose worker is dead is carried out by the next one', async () => {
    const { id } = await process.start();
    await process.held(id);
    await process.cancel(id);
    expect(await crowd[0]!.claimNext(id)).toBeUndefined();
    await process.expireLease(id);
    expect((await process.claims.due(10)).map(idOf)).toEqual([id]);
    const claim = await crowd[0]!.held(id);
    expect(claim.record.state.cancel).toBeDefined();
    expect((await crowd[0]!.fail(claim, 'cancelled'))?.state.status).toBe('cancelled');
  });

  it('that comes after the service was touched goes to a worker first, who takes the change back', async () => {
    const { id } = await process.start();
    for (const phase of ['pre_build', 'build', 'pre_deploy', 'deploy']) {
      const claim = await process.held(id);
      expect(claim.phase).toBe(phase);
      await process.succeed(claim);
    }
    expect((await process.cancel(id))?.state.status).toBe('deploying');
    expect((await process.claims.due(10)).map(idOf)).toEqual([id]);
    const claim = await process.held(id);
    expect(claim.phase).toBe('post_deploy');
    expect(await process.claims.heartbeat(claim)).toBe('cancelled');
    expect((await process.fail(claim, 'cancelled'))?.state.status).toBe('cancelled');
  });

  it('and the end of the phase may come at the same moment, and each leaves its mark once', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await process.start();
      const claim = await process.held(id);
      const racing = crowd[round % crowd.length]!;
      await Promise.all([process.succeed(claim), racing.cancel(id)]);
      expect((await process.record(id)).state).toMatchObject({
        status: 'cancelled',
        phases: { pre_build: { status: 'succeeded' }, build: { status: 'skipped' } },
      });
      expect((await messages(id)).filter((message) => message === 'Pre-build checks done')).toHaveLength(1);
    }
  });

  it('lets the next deployment of the app begin', async () => {
    const first = await process.start();
    const second = await process.accept();
    await process.cancel(first.id);
    expect((await process.claims.startWaiting()).map(idOf)).toEqual([second.id]);
  });
});

describe('expire', () => {
  const pastDeadline = (id: string, ms: number) =>
    test.database.query(
      `update deployments set deadline_at = clock_timestamp() - $2::float8 * interval '1 millisecond' where id = $1`,
      [id, ms],
    );
  /** The deadline in the column has been moved for the test; the state keeps the real one. */
  const restoreDeadline = (id: string) =>
    test.database.query(`update deployments set deadline_at = (state ->> 'deadline_at')::timestamptz where id = $1`, [
      id,
    ]);

  it('ends what is past its deadline and the grace without a living worker', async () => {
    const { id } = await process.start();
    const dead = await process.held(id);
    await process.expireLease(id);
    await pastDeadline(id, 5_000);
    expect(await process.claims.expire(30_000)).toEqual([]);
    expect(await process.claims.expire(1_000)).toEqual([id]);
    expect((await process.record(id)).state).toMatchObject({ status: 'failed', error: { code: 'deployment_timeout' } });
    expect(await process.succeed(dead)).toBeUndefined();
    expect(await process.claims.expire(1_000)).toEqual([]);
  });

  it('leaves alone what a living worker holds, what waits for its turn, and what has time left', async () => {
    const held = await process.start();
    const claim = await process.held(held.id);
    const waiting = await process.accept();
    const other = await process.start({ app_name: 'other' });
    await pastDeadline(held.id, 60_000);
    expect(await process.claims.expire(0)).toEqual([]);
    expect(await process.claims.heartbeat(claim)).toBe('held');
    for (const { id } of [waiting, other]) expect((await process.record(id)).state.finished_at).toBeUndefined();
    await restoreDeadline(held.id);
  });

  it('cancels what was to be cancelled', async () => {
    const { id } = await process.start();
    await process.held(id);
    await process.cancel(id);
    await process.expireLease(id);
    await pastDeadline(id, 5_000);
    await process.claims.expire(0);
    expect((await process.record(id)).state.status).toBe('cancelled');
  });

  it('ends a deployment once when eight processes do it at once', async () => {
    const { id } = await process.start();
    await pastDeadline(id, 5_000);
    await Promise.all(crowd.map(({ claims }) => claims.expire(0)));
    expect((await messages(id)).filter((message) => message.startsWith('Deployment failed'))).toHaveLength(1);
  });
});

describe('due', () => {
  it('lists exactly what can be claimed now', async () => {
    const make = async (name: string): Promise<string> => (await process.start({ app_name: name })).id;
    const fresh = await make('fresh');
    const held = await make('held');
    await process.held(held);
    const dead = await make('dead');
    await process.held(dead);
    await process.expireLease(dead);
    const later = await make('later');
    await process.succeed(await process.held(later));
    await process.fail(await process.held(later), 'registry_unreachable');
    const between = await make('between');
    await process.succeed(await process.held(between));
    const ended = await make('ended');
    await process.cancel(ended);
    const turn = await process.accept({ app_name: 'fresh' });

    const due = await process.claims.due(10);
    const phases = new Map(due.map((each) => [idOf(each), each.phase]));
    expect(phases).toEqual(
      new Map([
        [fresh, 'pre_build'],
        [dead, 'pre_build'],
        [between, 'build'],
      ]),
    );
    for (const { delay_ms, overdue_ms, attempt } of due) {
      expect([delay_ms, attempt]).toEqual([0, 1]);
      expect(overdue_ms).toBeGreaterThanOrEqual(0);
    }

    const claims = new Map<string, Claim | undefined>();
    for (const id of [fresh, held, dead, later, between, ended, turn.id]) claims.set(id, await crowd[0]!.claimNext(id));
    const claimed = [...claims].filter(([, claim]) => claim !== undefined).map(([id]) => id);
    expect(claimed.sort()).toEqual([...phases.keys()].sort());
    expect(await process.claims.due(10)).toEqual([]);
  });

  it('lists what has waited longest first, and no more than was asked for', async () => {
    const ids: string[] = [];
    for (const app_name of ['one', 'two', 'three']) ids.push((await process.start({ app_name })).id);
    expect((await process.claims.due(2)).map(idOf)).toEqual(ids.slice(0, 2));
  });

  it('counts the time of a phase whose worker died from the end of its lease', async () => {
    const { id } = await process.start();
    await process.held(id);
    await test.database.query(
      `update deployments set due_at = clock_timestamp() - interval '1 hour', lease_until = clock_timestamp() - interval '1 second'`,
    );
    const [due] = await process.claims.due(1);
    expect(due?.overdue_ms).toBeGreaterThanOrEqual(1_000);
    expect(due?.overdue_ms).toBeLessThan(3_600_000);
  });
});
