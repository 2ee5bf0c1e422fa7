/** What is told to a real HTTPS server out of a real PostgreSQL, request by request: under which keys, by whom, and what becomes of refusals. */
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DELIVERY_RULE } from '../../src/domain/flukebase-lane.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import type { Claim } from '../../src/domain/ports.js';
import { emptyStores } from '../support/empty-stores.js';
import { FlukeBase, type FlukeBaseRequest } from '../support/flukebase.js';
import { FlukeBaseSender } from '../support/flukebase-sender.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

let test: TestDatabase;
let process: StoreProcess;
let flukebase: FlukeBase;
let sender: FlukeBaseSender;
const senders: FlukeBaseSender[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
});
beforeEach(async () => {
  await emptyStores(test.database);
  await test.database.query('truncate flukebase_feed, flukebase_lanes, flukebase_dead_letters');
  flukebase = await FlukeBase.start();
  sender = await another();
});
afterEach(async () => {
  for (const one of senders.splice(0)) await one.stop();
  await flukebase.stop();
});
afterAll(() => test.stop());

async function another(): Promise<FlukeBaseSender> {
  const one = await FlukeBaseSender.start(test.database, flukebase);
  senders.push(one);
  return one;
}

async function print({ record, fence }: Claim, lines: number, text = 'line'): Promise<void> {
  const items = Array.from({ length: lines }, (_, index) => ({
    draft: createDeploymentLog({ at: new Date().toISOString(), message: `${text} ${index}` }),
  }));
  await process.log.append({ deployment_id: record.id, fence, items });
}

/** A deployment that is worked on, with so many lines of output. */
async function begun(lines: number): Promise<Claim> {
  const { id } = await process.start();
  const claim = await process.held(id);
  await print(claim, lines);
  return claim;
}

/** What waits is due now, whatever it waits for. */
const noWaiting = () =>
  test.database.query('update flukebase_lanes set due_at = clock_timestamp() where due_at is not null');
/** Rounds until nothing waits. */
const toldAll = (by = sender) =>
  until(async () => {
    await noWaiting();
    await by.round();
    await by.settled();
    return (await by.store.standing()).waiting === 0;
  }, 'all is told');

const sequences = (id: string) =>
  flukebase.held.deployments.get(id)?.entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.sequence) ?? [];
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const to = (route: string): FlukeBaseRequest[] => flukebase.requests.filter(({ path }) => path.endsWith(route));
const keys = (requests: readonly FlukeBaseRequest[]) => requests.map(({ headers }) => headers['idempotency-key']);

describe('a deployment', () => {
  it('is told in batches of a hundred, in order, after its summary', async () => {
    const { record } = await begun(250);
    await toldAll();
    expect(
      to('/batch')
        .map(({ body }) => (JSON.parse(body) as { logs: unknown[] }).logs.length)
        .slice(0, 2),
    ).toEqual([100, 100]);
    const { sequence } = (await sender.store.deployment(record.id))!;
    expect(sequences(record.id)).toEqual(upTo(sequence));
    const arrivals = flukebase.held.arrivals.filter((arrival) => !arrival.startsWith('task'));
    expect(arrivals[0]).toBe(`deployment ${record.id}`);
  });

  it('is told in batches of at most 512 kB', async () => {
    const claim = await begun(0);
    await print(claim, 80, 'x'.repeat(15_000));
    await toldAll();
    for (const { body } of to('/batch')) expect(Buffer.byteLength(body)).toBeLessThan(520 * 1024);
    expect(to('/batch').length).toBeGreaterThan(2);
  });

  it('is told by one process at a time, however many there are', async () => {
    const { record } = await begun(500);
    const others = await Promise.all([another(), another()]);
    await Promise.all([sender, ...others].map((one) => toldAll(one)));
    const { sequence } = (await sender.store.deployment(record.id))!;
    expect(sequences(record.id)).toEqual(upTo(sequence));
    expect(new Set(flukebase.held.deliveries.values())).toEqual(new Set([1]));
  });

  it('has one summary and one change of its task for everything that happened meanwhile', async () => {
    const { id } = await process.accept();
    await process.finish(id);
    await toldAll();
    expect(flukebase.held.deployments.get(id)?.summaries.map(({ status }) => status)).toEqual(['success']);
    expect(flukebase.held.tasks.get(`DEPLOY-${id}`)?.changes.map(({ status }) => status)).toEqual([
      'pending',
      'completed',
    ]);
  });
});

describe('what was not answered', () => {
  it('comes again under the same key and with the same entries, whatever was written since', async () => {
    const claim = await begun(5);
    flukebase.faults.order({ kind: 'cut_applied' }, { times: 1, route: /batch/ });
    await sender.round();
    await sender.settled();
    await print(claim, 20);
    await toldAll();
    const [first, second, third] = to('/batch');
    expect(second?.body).toBe(first?.body);
    expect(keys([second!])).toEqual(keys([first!]));
    expect(keys([third!])).not.toEqual(keys([first!]));
    expect(new Set(flukebase.held.deliveries.values())).toEqual(new Set([1]));
  });

  it('comes again from the next process when this one stops, at once and as it was', async () => {
    const { record } = await begun(5);
    flukebase.faults.order({ kind: 'silent' }, { times: 1, route: /batch/ });
    await sender.round();
    await until(async () => flukebase.faults.happened.get('silent') === 1 && to('/batch').length === 1, 'it is asked');
    await sender.stop();
    const next = await another();
    await next.round();
    await next.settled();
    await toldAll(next);
    const [first, second] = to('/batch');
    expect(second?.body).toBe(first?.body);
    expect(keys([second!])).toEqual(keys([first!]));
    const { sequence } = (await next.store.deployment(record.id))!;
    expect(sequences(record.id)).toEqual(upTo(sequence));
  });

  it('is a task that is created as it was asked for, even when the deployment has ended meanwhile', async () => {
    const { id } = await process.accept();
    flukebase.faults.order({ kind: 'cut_applied' }, { times: 1, route: /wedo_tasks$/ });
    await sender.round();
    await sender.settled();
    await process.finish(id);
    await toldAll();
    const created = to('/wedo_tasks');
    expect(created.map(({ body }) => body)).toEqual([created[0]?.body, created[0]?.body]);
    expect(flukebase.held.tasks.get(`DEPLOY-${id}`)?.status).toBe('completed');
  });
});

describe('what FlukeBase refuses', () => {
  it('of a batch in part: only the rest comes again', async () => {
    const { record } = await begun(5);
    flukebase.faults.order({ kind: 'partial', takes: 'first_half' }, { times: 1, route: /batch/ });
    await toldAll();
    const { sequence } = (await sender.store.deployment(record.id))!;
    expect(sequences(record.id)).toEqual(upTo(sequence));
    expect(new Set(flukebase.held.deliveries.values())).toEqual(new Set([1]));
  });

  it('is found by halving, and given up alone', async () => {
    const { record } = await begun(60);
    flukebase.is_poison = ({ message }) => ['line 17', 'line 18', 'line 41'].includes(message);
    await toldAll();
    const { sequence } = (await sender.store.deployment(record.id))!;
    const letters = await sender.store.deadLetters(100);
    const dead = letters.flatMap(({ first_sequence: from, last_sequence: last }) => upTo(last).slice(from - 1));
    expect(dead).toHaveLength(3);
    expect(letters).toHaveLength(2);
    expect(sequences(record.id)).toEqual(upTo(sequence).filter((one) => !dead.includes(one)));
  });

  it('now and always, while it takes all others, is given up alone', async () => {
    const { record } = await begun(150);
    const others = [await process.start({ app_name: 'one' }), await process.start({ app_name: 'two' })];
    const claims = await Promise.all(others.map(({ id }) => process.held(id)));
    flukebase.is_stuck = ({ message }) => message === 'line 20';
    flukebase.is_poison = ({ message }) => message === 'line 30';
    await until(
      async () => {
        await noWaiting();
        await sender.round();
        await sender.settled();
        for (const claim of claims) await print(claim, 1);
        await sender.round();
        await sender.settled();
        return (await sender.store.standing()).waiting === 0;
      },
      'all is told',
      60_000,
    );
    const { sequence } = (await sender.store.deployment(record.id))!;
    const letters = await sender.store.deadLetters(100);
    letters.sort((a, b) => a.first_sequence - b.first_sequence);
    expect(letters).toMatchObject([
      { error: expect.stringContaining('503') },
      { error: expect.stringContaining('422') },
    ]);
    const dead = letters.map(({ first_sequence }) => first_sequence);
    expect(letters.map(({ last_sequence }) => last_sequence)).toEqual(dead);
    expect([...sequences(record.id)].sort((a, b) => a - b)).toEqual(
      upTo(sequence).filter((one) => !dead.includes(one)),
    );
    expect(new Set(flukebase.held.deliveries.values())).toEqual(new Set([1]));
  }, 90_000);

  it('as too large comes in parts', async () => {
    const { record } = await begun(60);
    flukebase.largest_body = 8_000;
    await toldAll();
    expect(sequences(record.id)).toHaveLength((await sender.store.deployment(record.id))!.sequence);
    expect(await sender.store.deadLetters(100)).toEqual([]);
  });

  it('because of the token waits, with no attempt counted and no second request', async () => {
    await begun(5);
    flukebase.faults.order({ kind: 'status', status: 401 });
    await sender.round();
    await sender.settled();
    const { asked } = flukebase;
    await noWaiting();
    await sender.round();
    await sender.settled();
    expect(flukebase.asked).toBe(asked);
    expect(asked).toBeLessThanOrEqual(2);
    expect(await sender.store.upstream()).toMatchObject({ paused: expect.stringContaining('401') });
    const states = await test.database.query<{ attempts: string | null }>(
      "select state ->> 'attempts' as attempts from flukebase_lanes",
    );
    for (const { attempts } of states) expect(['0', null]).toContain(attempts);
  });

  it('as a task leaves the log alone', async () => {
    const { record } = await begun(5);
    flukebase.faults.order({ kind: 'status', status: 422 }, { route: /wedo_tasks/ });
    await toldAll();
    expect(sequences(record.id)).toHaveLength((await sender.store.deployment(record.id))!.sequence);
    expect(await sender.store.deadLetters(100)).toMatchObject([{ kind: 'task', deployment_id: record.id }]);
  });

  it.each([
    ['everything', /./, 0],
    ['entries, while it takes other things', /deployment_logs/, 1],
  ])('for long because it is asked too often is all there in the end: %s', async (_, route, others) => {
    const { record } = await begun(5);
    flukebase.faults.order({ kind: 'status', status: 429 }, { route });
    const rounds = DELIVERY_RULE.most_strikes + 4;
    for (let round = 0; round < rounds; round++) {
      for (let other = 0; other < others; other++) await process.accept({ app_name: `app-${round}` });
      await noWaiting();
      await sender.round();
      await sender.settled();
    }
    expect(flukebase.faults.happened.get('status')).toBeGreaterThanOrEqual(rounds);
    expect(flukebase.held.deliveries.size).toBe(0);
    expect(await sender.store.deadLetters(100)).toEqual([]);
    flukebase.faults.end();
    await toldAll();
    expect(sequences(record.id)).toEqual(upTo((await sender.store.deployment(record.id))!.sequence));
    expect(new Set(flukebase.held.deliveries.values())).toEqual(new Set([1]));
    expect(await sender.store.deadLetters(100)).toEqual([]);
  });

  it('when it asks to come later is not sent before', async () => {
    await begun(5);
    flukebase.faults.order({ kind: 'status', status: 429, retry_after: '120' }, { times: 1 });
    await sender.round();
    await sender.settled();
    expect(sender.upstream.wait).toBeGreaterThan(100_000);
  });
});

it('an outage costs few requests, however much waits', async () => {
  for (let number = 0; number < 12; number++) await process.start({ app_name: `app-${number}` });
  flukebase.faults.order({ kind: 'status', status: 503 });
  for (let round = 0; round < 10; round++) {
    await noWaiting();
    await sender.round();
    await sender.settled();
  }
  expect(sender.upstream.report.breaker).toBe('open');
  // Those under way when it opened, and no more.
  expect(flukebase.asked).toBeLessThan(10 + 8);
  expect(await sender.store.upstream()).toMatchObject({ breaker: 'open' });
});

it('a deployment that is gone leaves nothing to tell', async () => {
  const { record } = await begun(5);
  await sender.store.discover(1_000);
  await test.database.query('delete from deployments where id = $1', [record.id]);
  await toldAll();
  expect(flukebase.asked).toBe(0);
});
