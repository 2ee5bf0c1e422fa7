/** FlukeBase in the hands of those who run it: what it will not take, a token that is refused, history, and no FlukeBase at all. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { DeadLetterListView, FlukeBaseView } from '../../src/modules/flukebase/flukebase.view.js';
import { run, type Outcome } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { FlukeBase } from '../support/flukebase.js';
import { everythingStored } from '../support/installation-database.js';
import { SyncedDeployments } from '../support/synced-deployments.js';
import { until } from '../support/until.js';
import { lines, shell } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const TOKEN = `fbk_${randomBytes(16).toString('hex')}`;
const OTHER_TOKEN = `fbk_${randomBytes(16).toString('hex')}`;
/** Longer than the pause after a refused token. */
const PAUSE_OVER_MS = 45_000;

/** Fails in its build at once. */
const QUICK = { source: { dockerfile: lines('FROM busybox:1', 'COPY nothing /') } };
/** Each one's own, or the builder would know the step. */
const printing = (text: string) => ({
  source: {
    dockerfile: lines('FROM busybox:1', `RUN echo ${randomBytes(6).toString('hex')} ${text}; echo after; exit 1`),
  },
});

let flukebase: FlukeBase;
let bench: Workbench;
let synced: SyncedDeployments;
let made = 0;

beforeAll(async () => {
  flukebase = await FlukeBase.start({ token: TOKEN });
  // Without FlukeBase at first.
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '6' });
  synced = new SyncedDeployments(flukebase, bench.client);
});
afterEach(() => {
  flukebase.is_poison = () => false;
  flukebase.faults.end();
});
afterAll(async () => {
  await bench.clear();
  await flukebase.stop();
});

const deploy = async (spec: Record<string, unknown>): Promise<string> =>
  (await bench.client.deploy({ app_name: bench.app(`app-${++made}`), ...spec })).deployment_id;
const standing = async (): Promise<FlukeBaseView> =>
  (await bench.client.request<FlukeBaseView>('GET', '/api/v1/flukebase')).body;
const deadLetters = async (): Promise<DeadLetterListView['dead_letters']> =>
  (await bench.client.request<DeadLetterListView>('GET', '/api/v1/flukebase/dead-letters')).body.dead_letters;
/** Also by FlukeDeploy's own account, which a killed process could not write down: another one does when its lease is over. */
const allTold = () => until(async () => (await standing()).waiting === 0, 'all is told', PAUSE_OVER_MS);
const restart = async (changes: Record<string, string>): Promise<void> => {
  await bench.installation.stop();
  await bench.installation.start(changes);
};
const command = (line: string): Promise<Outcome> =>
  run(line.split(' '), {
    environment: { FLUKEDEPLOY_URL: bench.installation.server.url, FLUKEDEPLOY_TOKEN: bench.client.token },
  });
const messagesAt = (id: string): string[] => synced.entries(id).map(({ message }) => message);

/** Before FlukeBase was switched on. */
const history: string[] = [];

describe('without a token', () => {
  it('nothing is sent, nothing is kept, and nothing lags behind', async () => {
    for (let count = 0; count < 5; count++) history.push(await deploy(QUICK));
    for (const id of history) await bench.client.ended(id);
    expect(await standing()).toMatchObject({ enabled: false, waiting: 0, lag_seconds: 0, dead: 0 });
    const rows = await bench.database(everythingStored);
    expect(rows.filter(({ table }) => table.startsWith('flukebase')).map(({ row }) => row)).toEqual([]);
    expect(flukebase.asked).toBe(0);
  });

  it('a check says that it is off', async () => {
    expect(await command('flukebase check')).toMatchObject({
      code: expect.any(Number),
      stderr: expect.stringContaining('FLUKEBASE_API_TOKEN'),
    });
  });
});

describe('once it is switched on', () => {
  beforeAll(() => restart(flukebase.environment));

  it('what happens from then on is told, what was before is not', async () => {
    await synced.expectComplete(await deploy(QUICK));
    expect(history.flatMap((id) => synced.entries(id))).toEqual([]);
  });

  it('a check says that all is well', async () => {
    const { code, stdout } = await command('flukebase check');
    expect([code, stdout]).toEqual([0, expect.stringContaining(new URL(flukebase.url).host)]);
    expect(stdout).not.toContain(TOKEN);
  });

  it('history is told when it is asked for, though it is interrupted, and once', async () => {
    flukebase.faults.order({ kind: 'slow', ms: 200 });
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const backfill = (body: object) =>
      bench.client.request<{ queued: number; next_cursor?: string }>('POST', '/api/v1/flukebase/backfill', body);
    const first = await backfill({ since, limit: 2 });
    expect([first.status, first.body.queued]).toEqual([202, 2]);
    await eventually(() => history.some((id) => synced.entries(id).length > 0));
    await bench.installation.kill();
    flukebase.faults.end();
    await bench.installation.start(flukebase.environment);
    const second = await backfill({ since, cursor: first.body.next_cursor });
    expect(second.body).not.toHaveProperty('next_cursor');
    for (const id of history) await synced.expectComplete(id);
    expect((await backfill({ since })).body.queued).toBe(0);
    await allTold();
  });
});

describe('an entry that FlukeBase will not take', () => {
  it('alone becomes a dead letter; all others arrive, and itself when it is sent again', async () => {
    const mark = `poison-${randomBytes(6).toString('hex')}`;
    flukebase.is_poison = ({ message }) => message.includes(mark);
    const id = await deploy(printing(mark));
    await bench.client.ended(id);
    const written = await bench.client.entries(id);
    const poisonous = written.filter(({ message }) => message.includes(mark));
    const entries = await synced.over(id, poisonous.length);
    expect(messagesAt(id)).toEqual(entries.map(({ message }) => message).filter((message) => !message.includes(mark)));
    const letters = await deadLetters();
    expect(letters.length).toBeGreaterThan(0);
    const lost = letters.flatMap(({ first_sequence: first, last_sequence: last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
    expect(lost.sort((a, b) => a - b)).toEqual(poisonous.map((entry) => entry.flukedeploy_metadata.sequence));
    for (const letter of letters) {
      expect(letter).toMatchObject({ deployment_id: id, kind: 'log', error: expect.stringContaining('422') });
    }
    await allTold();
    expect(await standing()).toMatchObject({ dead: letters.length });

    flukebase.is_poison = () => false;
    for (const { id: letter } of letters) {
      const path = `/api/v1/flukebase/dead-letters/${letter}/replay`;
      expect(await bench.client.request('POST', path)).toMatchObject({ status: 204 });
    }
    await synced.expectCompleteInAnyOrder(id);
    expect(await deadLetters()).toEqual([]);
  });

  it('is forgotten when it is discarded', async () => {
    const mark = `poison-${randomBytes(6).toString('hex')}`;
    flukebase.is_poison = ({ message }) => message.includes(mark);
    await bench.client.ended(await deploy(printing(mark)));
    await eventually(async () => (await standing()).dead > 0);
    await allTold();
    for (const { id } of await deadLetters()) {
      const path = `/api/v1/flukebase/dead-letters/${id}`;
      expect(await bench.client.request('DELETE', path)).toMatchObject({ status: 204 });
      expect(await bench.client.request('DELETE', path)).toMatchObject({ status: 404 });
      expect(await bench.client.request('POST', `${path}/replay`)).toMatchObject({ status: 404 });
    }
    expect(await standing()).toMatchObject({ dead: 0, waiting: 0 });
  });
});

describe('a token that FlukeBase refuses', () => {
  it('makes everything wait until FlukeBase takes it again', async () => {
    flukebase.token = OTHER_TOKEN;
    const id = await deploy(QUICK);
    await bench.client.ended(id);
    await eventually(async () => (await standing()).paused !== undefined);
    expect(await standing()).toMatchObject({ paused: expect.stringContaining('401'), dead: 0 });
    expect((await standing()).waiting).toBeGreaterThan(0);
    const { code, stdout, stderr } = await command('flukebase check');
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('401')]);
    // Not one request for each entry that waits.
    const asked = flukebase.requests.filter(({ answer }) => answer === 401).length;
    await bench.client.ended(await deploy(QUICK));
    expect(flukebase.requests.filter(({ answer }) => answer === 401).length).toBeLessThan(asked + 4);
    flukebase.token = TOKEN;
    await allTold();
    await synced.expectComplete(id);
    expect(await standing()).not.toHaveProperty('paused');
  });

  it('can be replaced: then everything goes on at once', async () => {
    flukebase.token = OTHER_TOKEN;
    const id = await deploy(QUICK);
    await eventually(async () => (await standing()).paused !== undefined);
    await restart({ ...flukebase.environment });
    await synced.expectComplete(id);
    await allTold();
    expect(await standing()).toMatchObject({ dead: 0 });
    expect(await standing()).not.toHaveProperty('paused');
  });
});

describe('a check', () => {
  it('says where nobody listens', async () => {
    await flukebase.goAway();
    const { code, stdout, stderr } = await command('flukebase check');
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
    await flukebase.comeBack();
  });

  it('says that there is no FlukeBase at the address, and how one looks', async () => {
    const { origin } = new URL(flukebase.url);
    await restart({ ...flukebase.environment, FLUKEBASE_API_URL: origin });
    const { code, stdout } = await command('flukebase check');
    expect(code).toBe(1);
    expect(stdout).toContain(`There is no FlukeBase API at ${origin}/`);
    expect(stdout).toContain('should look like https://flukebase.me/api/v1');
    expect(stdout).toContain('FlukeBase does not work');
    await restart(flukebase.environment);
    expect(await command('flukebase check')).toMatchObject({ code: 0 });
  });

  it('says that nothing is told, though FlukeBase is there and takes the token', async () => {
    flukebase.faults.order({ kind: 'status', status: 403 }, { route: /deployments$/ });
    const id = await deploy(QUICK);
    await eventually(async () => (await standing()).paused !== undefined);
    const { code, stdout } = await command('flukebase check');
    expect(stdout).toMatch(/does not refuse FLUKEBASE_API_TOKEN[^]*Nothing is told for now: .*403/);
    expect(code).toBe(1);
    await bench.client.ended(id);
    flukebase.faults.end();
    await allTold();
    expect(await command('flukebase check')).toMatchObject({ code: 0 });
  });

  it('says that the certificate is not trusted', async () => {
    await restart({ ...flukebase.environment, FLUKEBASE_CA_FILE: '' });
    const { code, stdout, stderr } = await command('flukebase check');
    expect([code, stdout + stderr]).toEqual([1, expect.stringMatching(/certificate.*not trusted/)]);
    await restart(flukebase.environment);
  });
});

describe('secrets', () => {
  it('are in nothing that FlukeBase is told, and its token is in nothing else', async () => {
    const secret = `S3cr3t-${randomBytes(9).toString('hex')}`;
    const id = await deploy({
      image: 'busybox:1',
      env: { PASSWORD: secret },
      command: shell('env; echo "password is $PASSWORD" >&2; printf "%s" "$PASSWORD" | base64; exit 3'),
    });
    await synced.expectComplete(id);
    await synced.taskOver(`DEPLOY-${id}`);
    expect(JSON.stringify(synced.entries(id))).toContain('***');

    const asked = JSON.stringify(flukebase.requests);
    const forms = [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)];
    for (const form of [...forms, TOKEN, OTHER_TOKEN]) expect(asked).not.toContain(form);
    expect(new Set(flukebase.requests.map(({ token }) => token))).toEqual(new Set(['right', 'wrong']));

    const answers = [
      '/api/v1/flukebase',
      '/api/v1/flukebase/dead-letters',
      '/api/v1/logs?limit=10000',
      '/health/ready',
    ];
    const told = await Promise.all(answers.map(async (path) => (await bench.client.request('GET', path)).body));
    const rows = await bench.database(everythingStored);
    const output = bench.installation.server.output.join('\n');
    for (const token of [TOKEN, OTHER_TOKEN]) {
      expect(JSON.stringify(told)).not.toContain(token);
      expect(rows.filter(({ row }) => row.includes(token)).map(({ table }) => table)).toEqual([]);
      expect(output).not.toContain(token);
    }
  });
});
