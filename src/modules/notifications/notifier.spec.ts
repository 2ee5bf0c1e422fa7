import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { emptyStores } from '../../../test/support/empty-stores.js';
import { MemoryWakeups } from '../../../test/support/memory-wakeups.js';
import { ScriptedServer } from '../../../test/support/scripted-server.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { until } from '../../../test/support/until.js';
import { PostgresNotificationStore } from '../../adapters/postgres/postgres-notification-store.js';
import { HttpWebhookSender } from '../../adapters/webhooks/http-webhook-sender.js';
import type { DeploymentRecord, NotificationRecord } from '../../domain/ports.js';
import { LogHub } from '../logs/index.js';
import { NotificationRounds } from './notification-rounds.js';
import { Notifier } from './notifier.js';
import { NotifyUses, type NotifyUse } from './notify-uses.js';

jest.setTimeout(90_000);

const SIGNING = `whsec_${randomBytes(32).toString('base64')}`;

/** What is configured, by app. */
class TableOfUses extends NotifyUses {
  readonly options = new Map<string, unknown>();
  readonly secrets = new Map<string, string>();

  override async of({ state }: DeploymentRecord): Promise<NotifyUse | undefined> {
    const options = this.options.get(state.identity.app_name);
    if (options instanceof Error) throw options;
    return options === undefined ? undefined : { options, secret: (name) => this.secrets.get(name) };
  }
}

let postgres: TestDatabase;
let process: StoreProcess;
let store: PostgresNotificationStore;
let server: ScriptedServer;
let uses: TableOfUses;
let warnings: string[];
/** What runs, to be stopped. */
let running: { stop: () => Promise<void> } | undefined;
beforeAll(async () => {
  postgres = await startTestDatabase();
  process = new StoreProcess(postgres.database);
  store = new PostgresNotificationStore(postgres.database, 30);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await emptyStores(postgres.database);
  server = new ScriptedServer();
  await server.start();
  uses = new TableOfUses();
  uses.secrets.set('SIGNING', SIGNING);
  warnings = [];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((...words: unknown[]) => void warnings.push(words.join(' ')));
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await server.stop();
  jest.restoreAllMocks();
});

/** A process that tells others, until it is stopped. */
async function start(timeoutMs = 60_000): Promise<void> {
  const hub = new LogHub(process.log, new MemoryWakeups());
  const sender = new HttpWebhookSender({ allowedHosts: ['127.0.0.1'], timeoutMs });
  const rounds = new NotificationRounds(new Notifier(store, process.deployments, uses, sender), store, hub);
  await hub.onApplicationBootstrap();
  rounds.onApplicationBootstrap();
  running = {
    stop: async () => {
      await rounds.beforeApplicationShutdown();
      await hub.onApplicationShutdown();
    },
  };
}

async function restart(): Promise<void> {
  await running?.stop();
  await start();
}

async function ended(app_name = 'web'): Promise<string> {
  const { id } = await process.accept({ app_name });
  await process.finish(id);
  return id;
}

const hook = (name: string, path = `/${name}`) => ({ name, type: 'webhook', url: `${server.url}${path}` });
const makeDue = () =>
  postgres.database.query(
    'update notifications set next_attempt_at = clock_timestamp() where next_attempt_at is not null',
  );

/** The only notification of the deployment, once it is like this. */
const notification = (id: string, isSo: (record: NotificationRecord) => boolean): Promise<NotificationRecord> =>
  until(async () => (await store.ofDeployment(id)).find(isSo), `a notification of ${id} so that ${String(isSo)}`);

const isDelivered = ({ status }: NotificationRecord): boolean => status === 'delivered';
const isDead = ({ status }: NotificationRecord): boolean => status === 'dead';

describe('the end of a deployment', () => {
  it('is told once, signed, under one id, although the receiver fails twice and the notifier is started anew', async () => {
    uses.options.set('web', { targets: [{ ...hook('ci'), secret_name: 'SIGNING', headers: { 'x-team': 'web' } }] });
    server.answer(() => ({ status: server.requests.length < 3 ? 500 : 204 }));
    await start();
    const id = await ended();
    for (const failures of [1, 2]) {
      await notification(id, ({ attempts }) => attempts >= failures);
      await restart();
      await makeDue();
    }
    const { id: notified, attempts } = await notification(id, isDelivered);
    await restart();
    await makeDue();

    expect([attempts, server.requests.length]).toEqual([3, 3]);
    const bodies = server.requests.map(({ headers, body }) => {
      expect(headers).toMatchObject({ 'webhook-id': notified, 'content-type': 'application/json', 'x-team': 'web' });
      return new Webhook(SIGNING).verify(body.toString(), headers as Record<string, string>);
    });
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(bodies[0]).toMatchObject({
      type: 'deployment.succeeded',
      data: { deployment_id: id, app_name: 'web', status: 'success', kind: 'deploy' },
    });
  });

  it('is told by one of many processes', async () => {
    uses.options.set('web', { targets: [hook('ci')] });
    server.answer(() => ({ status: 204 }));
    const sender = new HttpWebhookSender({ allowedHosts: ['127.0.0.1'] });
    const crowd = Array.from({ length: 5 }, () => new Notifier(store, process.deployments, uses, sender));
    const ids = [await ended(), await ended(), await ended()];
    const { signal } = new AbortController();
    const told = async (): Promise<boolean> => {
      await Promise.all(crowd.map((notifier) => notifier.round(signal, () => undefined)));
      await Promise.all(crowd.map((notifier) => notifier.settled()));
      return (await Promise.all(ids.map((id) => store.ofDeployment(id)))).flat().filter(isDelivered).length === 3;
    };
    await until(told, 'everything is told');
    expect(server.requests).toHaveLength(3);
  });

  it('is told to those only who asked for it, each in its own words', async () => {
    uses.secrets.set('SLACK_URL', `${server.url}/slack`).set('DISCORD_URL', `${server.url}/discord`);
    uses.options.set('web', {
      targets: [
        { name: 'slack', type: 'slack', url_secret: 'SLACK_URL', on: ['failed', 'cancelled'] },
        { name: 'discord', type: 'discord', url_secret: 'DISCORD_URL', on: ['failed'] },
        { ...hook('ci'), on: ['succeeded'] },
      ],
    });
    server.answer(() => ({ status: 200 }));
    await start();
    const { id } = await process.goWrong({ app_name: 'web' }, false);
    await until(async () => server.requests.length === 2, 'two are told');
    expect(server.to('POST /slack')[0]?.json).toMatchObject({ blocks: expect.any(Array) });
    expect(server.to('POST /discord')[0]?.json).toMatchObject({ allowed_mentions: { parse: [] } });
    expect((await store.ofDeployment(id)).map(({ target, event }) => `${target} ${event}`)).toEqual([
      'discord deployment.failed',
      'slack deployment.failed',
    ]);
  });

  it('is told to nobody where notify is not switched on', async () => {
    await start();
    const id = await ended();
    await until(
      async () => (await postgres.database.query('select 1 from deployment_endings')).length === 0,
      'nothing is left to plan',
    );
    expect(await store.ofDeployment(id)).toEqual([]);
  });
});

describe('a target that hangs', () => {
  it('delays neither another one nor a deployment, and a shutdown does not wait for it', async () => {
    uses.options.set('web', { targets: [hook('hangs'), hook('fine')] });
    server.answer(({ route }) => (route === 'POST /hangs' ? 'silence' : { status: 204 }));
    await start();
    const ids: string[] = [];
    for (let count = 0; count < 8; count++) ids.push(await ended());
    await until(async () => server.to('POST /fine').length === ids.length, 'the other is told of all');
    await until(async () => server.to('POST /hangs').length === 4, 'a few hang');
    await running?.stop();
    running = undefined;

    expect(server.to('POST /hangs')).toHaveLength(4);
    const kept = (await Promise.all(ids.map((id) => store.ofDeployment(id)))).flat();
    const hanging = kept.filter(({ target }) => target === 'hangs');
    expect(hanging.map(({ status, attempts }) => `${status} ${attempts}`)).toEqual(ids.map(() => 'pending 0'));
    // All of them have been given back.
    expect(await postgres.database.query('select 1 from notifications where lease_until is not null')).toEqual([]);
  });
});

describe('what cannot be told', () => {
  it('is dead at once, says why, and can be told once it has been put right', async () => {
    uses.options.set('web', { targets: [{ name: 'team', type: 'slack', url_secret: 'SLACK_URL' }] });
    server.answer(() => ({ status: 200 }));
    await start();
    const id = await ended();
    const dead = await notification(id, isDead);
    expect(dead.last_error).toBe('There is no secret SLACK_URL.');
    uses.secrets.set('SLACK_URL', `${server.url}/slack`);
    await store.revive(id, dead.id);
    expect((await notification(id, isDelivered)).id).toBe(dead.id);
  });

  it('is nobody in particular where the options cannot be read', async () => {
    uses.options.set('web', { targets: [{ ...hook('ci'), type: 'pager' }] });
    server.answer(() => ({ status: 200 }));
    await start();
    const id = await ended();
    const dead = await notification(id, isDead);
    expect(dead).toMatchObject({ target: '*', last_error: expect.stringContaining('targets.0.type') });
    uses.options.set('web', { targets: [hook('ci')] });
    await store.revive(id, dead.id);
    expect(await notification(id, isDelivered)).toMatchObject({ target: 'ci', type: 'webhook' });
  });

  it('leaves neither addresses nor secrets in rows and logs', async () => {
    uses.secrets.set('SLACK_URL', `${server.url}/services/hunter2`);
    uses.options.set('web', {
      targets: [
        { name: 'team', type: 'slack', url_secret: 'SLACK_URL' },
        { ...hook('ci', '/hunter2'), secret_name: 'SIGNING' },
        { name: 'chat', type: 'discord', url_secret: 'SIGNING' },
      ],
    });
    server.answer(({ route }) => (route === 'POST /hunter2' ? 'cut' : { status: 404 }));
    await start();
    const id = await ended();
    await until(
      async () => (await store.ofDeployment(id)).filter(({ last_error }) => last_error !== undefined).length === 3,
      'all have failed',
    );
    const rows = await postgres.database.query('select * from notifications');
    const told = JSON.stringify(rows) + warnings.join('\n');
    expect(warnings).not.toEqual([]);
    for (const secret of ['hunter2', SIGNING, '127.0.0.1']) expect(told).not.toContain(secret);
  });

  it('is given up when its target is gone, or notify is switched off', async () => {
    uses.options.set('web', { targets: [hook('ci')] });
    server.answer(() => ({ status: 500 }));
    await start();
    const id = await ended();
    const { id: told } = await notification(id, ({ attempts }) => attempts > 0);
    uses.options.set('web', { targets: [hook('another')] });
    await makeDue();
    expect((await notification(id, isDead)).last_error).toBe('The target is not configured any more.');
    uses.options.delete('web');
    await store.revive(id, told);
    expect((await notification(id, isDead)).last_error).toBe('notify is not switched on any more.');
  });

  it('stops nothing else: what cannot be read now is read again later', async () => {
    uses.options.set('broken', new Error('away')).set('web', { targets: [hook('ci')] });
    server.answer(() => ({ status: 500 }));
    await start();
    const broken = await ended('broken');
    const id = await ended();
    await notification(id, ({ attempts }) => attempts > 0);
    uses.options.set('web', new Error('away'));
    await makeDue();
    await notification(id, ({ last_error }) => last_error === 'Its configuration could not be read.');

    server.answer(() => ({ status: 200 }));
    for (const app of ['broken', 'web']) uses.options.set(app, { targets: [hook('ci')] });
    await postgres.database.query('update deployment_endings set due_at = clock_timestamp()');
    await makeDue();
    await notification(broken, isDelivered);
    await notification(id, isDelivered);
  });
});
