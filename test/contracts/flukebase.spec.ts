/** The stand-in for FlukeBase does what it says: whoever is tested against it can rely on that. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { FlukeDeployEventType } from '../../src/domain/log-entry.js';
import { eventually } from '../support/eventually.js';
import { FlukeBase } from '../support/flukebase.js';
import { FlukeBaseFaults, retryAfter } from '../support/flukebase-faults.js';
import { entryWithEveryKey } from '../support/log-fixtures.js';

let flukebase: FlukeBase;
let keys = 0;

beforeEach(async () => {
  flukebase = await FlukeBase.start();
});
afterEach(() => flukebase.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const ID = 'dep-01jd0000000000000000000000';
const entry = (sequence: number) => entryWithEveryKey(FlukeDeployEventType.BUILD_START, sequence);
const source = 'flukedeploy';
const log = (sequence: number) => ({ log: entry(sequence), source });
const batch = (...sequences: number[]) => ({ logs: sequences.map(entry), source });
const summary = (fields: object = {}) => ({
  source,
  deployment: {
    deployment_id: ID,
    app_name: 'api-server',
    environment: 'production',
    status: 'building',
    requested_at: '2026-02-03T10:00:00.123Z',
    ...fields,
  },
});
const task = { task_id: `DEPLOY-${ID}`, description: 'Deploy api-server', status: 'in_progress' };

const LOGS = '/flukebase_connect/deployment_logs';
const BATCH = `${LOGS}/batch`;
const DEPLOYMENTS = '/flukebase_connect/deployments';
const TASKS = '/flukebase_connect/wedo_tasks';

/** @throws when there is no answer */
async function call(method: string, path: string, body: unknown, headers: object = {}): Promise<Answer> {
  const ca = await readFile(flukebase.caFile, 'utf8');
  const own = {
    authorization: `Bearer ${flukebase.token}`,
    'content-type': 'application/json',
    'idempotency-key': `key-${++keys}`,
  };
  return new Promise((resolve, reject) => {
    const asked = request(`${flukebase.url}${path}`, { method, ca, agent: false, headers: { ...own, ...headers } });
    asked.on('error', reject);
    asked.on('response', (answer) => {
      const { statusCode: status = 0, headers: answered } = answer;
      void text(answer).then((content) => resolve({ status, headers: answered, body: content }), reject);
    });
    asked.end(JSON.stringify(body));
  });
}
const post = (path: string, body: unknown, headers: object = {}) => call('POST', path, body, headers);
const status = async (answer: Promise<Answer>): Promise<number> => (await answer).status;
const held = () =>
  flukebase.held.deployments.get(ID)?.entries.map(({ flukedeploy_metadata: { sequence } }) => sequence);

describe('what is accepted', () => {
  it('is held in the order of its arrival', async () => {
    expect(await status(post(DEPLOYMENTS, summary()))).toBe(201);
    expect(await status(post(TASKS, task))).toBe(201);
    expect(await status(post(LOGS, log(2)))).toBe(201);
    expect(await status(post(BATCH, batch(1, 3)))).toBe(200);
    expect(await status(call('PATCH', `${TASKS}/${task.task_id}`, { status: 'completed' }))).toBe(200);
    expect(await status(post(DEPLOYMENTS, summary({ status: 'success' })))).toBe(200);
    expect(held()).toEqual([2, 1, 3]);
    expect(flukebase.held.arrivals).toEqual([
      `deployment ${ID}`,
      `task ${task.task_id}`,
      ...[2, 1, 3].map((sequence) => `log ${entry(sequence).id}`),
      `task change ${task.task_id}`,
      `deployment ${ID}`,
    ]);
    expect(flukebase.held.deployments.get(ID)?.summaries.map(({ status }) => status)).toEqual(['building', 'success']);
    expect(flukebase.held.tasks.get(task.task_id)).toMatchObject({ id: 1, status: 'completed' });
  });

  it('has no second effect: not under its key, nor by the id of an entry', async () => {
    await post(DEPLOYMENTS, summary(), { 'idempotency-key': 'one' });
    const first = await post(BATCH, batch(1, 2), { 'idempotency-key': 'two' });
    const second = await post(BATCH, batch(1, 2), { 'idempotency-key': 'two' });
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(await status(post(BATCH, batch(2, 3)))).toBe(200);
    expect(held()).toEqual([1, 2, 3]);
    expect([...flukebase.held.deliveries.values()]).toEqual([1, 2, 1]);
    expect(flukebase.held.contradictions).toEqual([]);
  });

  it('is told apart from what contradicts it', async () => {
    await post(DEPLOYMENTS, summary());
    await post(LOGS, log(1));
    await post(LOGS, { source, log: { ...entry(1), message: 'another one' } });
    expect(flukebase.held.contradictions).toEqual([entry(1).id]);
  });

  it('may be for a task that people have made, by its own name or by its number', async () => {
    flukebase.held.addTask('WEDO-7');
    expect(await status(call('PATCH', `${TASKS}/WEDO-7`, { status: 'in_progress' }))).toBe(200);
    expect(await status(call('PATCH', `${TASKS}/1`, { status: 'failed', synthesis_note: 'unhealthy' }))).toBe(200);
    expect(flukebase.held.tasks.get('WEDO-7')?.changes).toHaveLength(3);
  });
});

describe('what is refused', () => {
  it.each([
    ['a key that came with another body', 422, () => post(LOGS, log(2), { 'idempotency-key': 'one' })],
    ['no key', 400, () => post(LOGS, log(1), { 'idempotency-key': [] })],
    ['a wrong token', 401, () => post(LOGS, log(1), { authorization: 'Bearer fbk_wrong' })],
    ['an unknown field', 422, () => post(LOGS, { ...log(1), more: true })],
    ['an unknown field of an entry', 422, () => post(LOGS, { source, log: { ...entry(1), more: true } })],
    ['a missing field', 422, () => post(DEPLOYMENTS, summary({ app_name: undefined }))],
    [
      'an id that is not that of the sequence',
      422,
      () => post(LOGS, { source, log: { ...entry(1), id: entry(2).id } }),
    ],
    ['an empty batch', 422, () => post(BATCH, batch())],
    ['a task without a description', 422, () => post(TASKS, { task_id: 'a' })],
    ['a status that no task has', 422, () => call('PATCH', `${TASKS}/a`, { status: 'done' })],
    ['an unknown route', 404, () => post('/flukebase_connect/elsewhere', {})],
    ['an unknown task', 404, () => call('PATCH', `${TASKS}/a`, { status: 'failed' })],
    [
      'entries of an unknown deployment',
      422,
      () => post(LOGS, { source, log: { ...entryOf('dep-other'), id: 'dep-other-log-017' } }),
    ],
  ])('%s: %d', async (_, expected, refused) => {
    await post(DEPLOYMENTS, summary(), { 'idempotency-key': 'zero' });
    await post(LOGS, log(1), { 'idempotency-key': 'one' });
    expect(await status(refused())).toBe(expected);
    expect(held()).toEqual([1]);
  });

  it('a task that is there already', async () => {
    await post(TASKS, task);
    expect(await status(post(TASKS, task))).toBe(409);
  });

  it('may be right later, under the same key', async () => {
    const key = { 'idempotency-key': 'again' };
    expect(await status(post(LOGS, log(1), key))).toBe(422);
    await post(DEPLOYMENTS, summary());
    expect(await status(post(LOGS, log(1), key))).toBe(201);
  });
});

describe('a fault', () => {
  beforeEach(async () => {
    await post(DEPLOYMENTS, summary());
  });

  it.each([429, 500, 503, 401])('answers %d and does nothing, as often as it was ordered', async (code) => {
    flukebase.faults.order({ kind: 'status', status: code, retry_after: retryAfter.seconds(3) }, { times: 1 });
    const answer = await post(LOGS, log(1));
    expect([answer.status, answer.headers['retry-after']]).toEqual([code, '3']);
    expect(held()).toEqual([]);
    expect(await status(post(LOGS, log(1)))).toBe(201);
  });

  it('can tell the time to come again as a date', async () => {
    flukebase.faults.order({ kind: 'status', status: 429, retry_after: retryAfter.date(60) });
    const answer = await post(LOGS, log(1));
    expect(Date.parse(String(answer.headers['retry-after']))).toBeGreaterThan(Date.now());
  });

  it('leads elsewhere', async () => {
    flukebase.faults.order({ kind: 'redirect', to: 'https://elsewhere.example/' });
    const answer = await post(LOGS, log(1));
    expect([answer.status, answer.headers['location']]).toEqual([307, 'https://elsewhere.example/']);
    expect(held()).toEqual([]);
  });

  it.each([
    ['slow', { kind: 'slow', ms: 1 } as const],
    ['malformed', { kind: 'malformed' } as const],
    ['huge', { kind: 'huge', bytes: 1_000_000 } as const],
  ])('does what it was asked where its answer is %s', async (kind, fault) => {
    flukebase.faults.order(fault);
    const { body } = await post(LOGS, log(1));
    expect(held()).toEqual([1]);
    if (kind === 'malformed') expect(() => JSON.parse(body) as unknown).toThrow(SyntaxError);
    if (kind === 'huge') expect(body.length).toBeGreaterThan(1_000_000);
    flukebase.faults.end();
    expect(await status(post(LOGS, log(2)))).toBe(201);
  });

  it('cuts the connection before anything is read', async () => {
    flukebase.faults.order({ kind: 'cut_unread' }, { times: 1 });
    await expect(post(LOGS, log(1))).rejects.toThrow('socket hang up');
    expect(held()).toEqual([]);
  });

  it('cuts the connection when all is done: the same key gets the answer that was lost', async () => {
    flukebase.faults.order({ kind: 'cut_applied' }, { times: 1 });
    const key = { 'idempotency-key': 'lost' };
    await expect(post(LOGS, log(1), key)).rejects.toThrow('socket hang up');
    expect(held()).toEqual([1]);
    expect(await post(LOGS, log(1), key)).toMatchObject({ status: 201, body: JSON.stringify({ id: entry(1).id }) });
    expect([...flukebase.held.deliveries.values()]).toEqual([1]);
  });

  it('says nothing for ever, though all is done', async () => {
    flukebase.faults.order({ kind: 'silent' }, { times: 1 });
    const lost = post(LOGS, log(1));
    await eventually(() => held()?.length === 1);
    await flukebase.goAway();
    await expect(lost).rejects.toThrow('socket hang up');
    await flukebase.comeBack();
  });

  it.each([
    ['every_other', [201, 503, 201]],
    ['first_half', [201, 201, 503]],
  ] as const)('takes a part of a batch and says which: %s', async (takes, statuses) => {
    flukebase.faults.order({ kind: 'partial', takes }, { times: 1, route: /batch/ });
    const answer = await post(BATCH, batch(1, 2, 3));
    expect(answer.status).toBe(207);
    const { results } = JSON.parse(answer.body) as { results: object[] };
    expect(results).toEqual(statuses.map((status, index) => ({ id: entry(index + 1).id, status })));
    expect(held()).toEqual([1, 2, 3].filter((_, index) => statuses[index] === 201));
  });

  it('meets only the routes that it was ordered for', async () => {
    flukebase.faults.order({ kind: 'status', status: 500 }, { route: /batch/ });
    expect(await status(post(BATCH, batch(1)))).toBe(500);
    expect(await status(post(LOGS, log(1)))).toBe(201);
  });

  it('happens by chance, in the same way for the same seed', () => {
    const course = (seed: number): unknown[] => {
      const faults = new FlukeBaseFaults();
      faults.byChance(0.5, seed);
      return Array.from({ length: 100 }, () => faults.next('POST /'));
    };
    expect(course(1)).toEqual(course(1));
    expect(course(1)).not.toEqual(course(2));
    expect(course(1).filter(Boolean).length).toBeGreaterThan(25);
    expect(course(1).filter(Boolean).length).toBeLessThan(75);
  });
});

describe('FlukeBase as it is run', () => {
  beforeEach(async () => {
    await post(DEPLOYMENTS, summary());
  });

  it('may have a limit of the size of a body', async () => {
    flukebase.largest_body = Buffer.byteLength(JSON.stringify(batch(1, 2)));
    expect(await status(post(BATCH, batch(1, 2, 3)))).toBe(413);
    expect(await status(post(BATCH, batch(1, 2)))).toBe(200);
  });

  it('may have no route for batches', async () => {
    flukebase.has_batches = false;
    expect(await status(post(BATCH, batch(1)))).toBe(404);
    expect(await status(post(LOGS, log(1)))).toBe(201);
  });

  it('may choke on an entry, alone and in any batch', async () => {
    flukebase.is_poison = ({ id }) => id === entry(2).id;
    expect(await status(post(BATCH, batch(1, 2, 3)))).toBe(422);
    expect(held()).toEqual([]);
    expect(await status(post(BATCH, batch(1, 3)))).toBe(200);
    expect(await status(post(LOGS, log(2)))).toBe(422);
  });

  it('may go away and come back at the same place, with all that it holds', async () => {
    const { url } = flukebase;
    await post(LOGS, log(1));
    await flukebase.goAway();
    await expect(post(LOGS, log(2))).rejects.toThrow('ECONNREFUSED');
    await flukebase.comeBack();
    expect(flukebase.url).toBe(url);
    expect(await status(post(LOGS, log(2)))).toBe(201);
    expect(held()).toEqual([1, 2]);
  });

  it('may change its token', async () => {
    const old = { authorization: `Bearer ${flukebase.token}` };
    flukebase.token = 'fbk_new';
    expect(await status(post(LOGS, log(1), old))).toBe(401);
    expect(await status(post(LOGS, log(1)))).toBe(201);
  });

  it('keeps what it was asked, but never a token', async () => {
    await post(LOGS, log(1), { authorization: 'Bearer fbk_wrong' });
    await post(LOGS, log(2), { 'x-more': 'yes' });
    expect(flukebase.requests.slice(1)).toEqual([
      expect.objectContaining({ method: 'POST', path: `/api/v1${LOGS}`, token: 'wrong', answer: 401 }),
      expect.objectContaining({ token: 'right', answer: 201, body: JSON.stringify(log(2)) }),
    ]);
    expect(flukebase.requests.at(-1)?.headers).toMatchObject({ 'x-more': 'yes' });
    expect(JSON.stringify(flukebase.requests)).not.toContain('Bearer');
  });
});

function entryOf(deployment_id: string): object {
  const { flukedeploy_metadata, ...rest } = entry(17);
  return { ...rest, flukedeploy_metadata: { ...flukedeploy_metadata, deployment_id } };
}
