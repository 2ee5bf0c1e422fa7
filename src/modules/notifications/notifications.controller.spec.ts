import { Global, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { emptyStores } from '../../../test/support/empty-stores.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { PostgresAuditTrail } from '../../adapters/postgres/postgres-audit-trail.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { PostgresNotificationStore } from '../../adapters/postgres/postgres-notification-store.js';
import { AuditTrail, CredentialStore, DeploymentStore, NotificationStore } from '../../domain/ports.js';
import { HttpAuditModule } from '../../gateways/http/http-audit.module.js';
import { requestValidation } from '../../gateways/http/validation.js';
import { AuthModule, AuthService } from '../auth/index.js';
import { NotificationsModule } from './index.js';

jest.setTimeout(60_000);

const EVENT = 'deployment.succeeded';

let postgres: TestDatabase;
let store: PostgresNotificationStore;
let audit: AuditLog;
let app: INestApplication;
let id: string;
beforeAll(async () => {
  postgres = await startTestDatabase();
  const { database } = postgres;
  store = new PostgresNotificationStore(database, 30);
  audit = new AuditLog(database);
  const values = [
    [CredentialStore, new PostgresCredentialStore(database)],
    [AuditTrail, new PostgresAuditTrail(database)],
    [DeploymentStore, new StoreProcess(database).deployments],
    [NotificationStore, store],
  ] as const;
  const providers = values.map(([provide, useValue]) => ({ provide, useValue }));
  @Global()
  @Module({ providers, exports: providers })
  class PortsModule {}
  @Module({ imports: [PortsModule, AuthModule, HttpAuditModule, NotificationsModule.for('api')] })
  class TestModule {}
  app = await NestFactory.create(TestModule, { logger: false, abortOnError: false });
  app.useGlobalPipes(requestValidation());
  await app.listen(0, '127.0.0.1');
});
afterAll(async () => {
  await app.close();
  await postgres.stop();
});

/** One waits, one has been delivered, one is dead. */
beforeEach(async () => {
  await emptyStores(postgres.database);
  await audit.begin();
  const process = new StoreProcess(postgres.database);
  ({ id } = await process.accept({ app_name: 'web' }));
  await process.finish(id);
  await store.plan(id, [
    { id: 'ntf-1', target: 'a', type: 'slack', event: EVENT },
    { id: 'ntf-2', target: 'b', type: 'webhook', event: EVENT },
    { id: 'ntf-3', target: '*', event: EVENT, problem: 'The options of notify are not valid.' },
  ]);
  const first = await store.claim(60_000, []);
  await store.failed(first!, 'It answered with HTTP 500.', 60_000);
  const second = await store.claim(60_000, []);
  await store.delivered(second!);
});

async function call(
  method: string,
  path: string,
  scopes: readonly ('read' | 'deploy')[] = ['read', 'deploy'],
  apps?: readonly string[],
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { token } = await app.get(AuthService).createToken({ name: 'ci', scopes, apps });
  const response = await fetch(`${await app.getUrl()}/api/v1/deployments/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('the notifications of a deployment', () => {
  it('are shown with what became of them', async () => {
    const created_at = expect.any(String);
    expect(await call('GET', `${id}/notifications`, ['read'])).toEqual({
      status: 200,
      body: {
        notifications: [
          {
            id: 'ntf-3',
            target: '*',
            event: EVENT,
            status: 'dead',
            attempts: 0,
            last_error: 'The options of notify are not valid.',
            created_at,
          },
          {
            id: 'ntf-1',
            target: 'a',
            type: 'slack',
            event: EVENT,
            status: 'pending',
            attempts: 1,
            next_attempt_at: expect.any(String),
            last_error: 'It answered with HTTP 500.',
            created_at,
          },
          {
            id: 'ntf-2',
            target: 'b',
            type: 'webhook',
            event: EVENT,
            status: 'delivered',
            attempts: 1,
            delivered_at: expect.any(String),
            created_at,
          },
        ],
      },
    });
  });

  it('are those of nobody for strangers', async () => {
    for (const apps of [['other'], ['web-*']]) {
      const missing = { status: 404, body: expect.objectContaining({ code: 'deployment_not_found' }) };
      expect(await call('GET', `${id}/notifications`, ['read'], apps)).toEqual(missing);
      expect(await call('POST', `${id}/notifications/ntf-3/retry`, ['read', 'deploy'], apps)).toEqual(missing);
    }
    expect(await call('GET', 'dep-none/notifications')).toMatchObject({
      status: 404,
      body: { code: 'deployment_not_found' },
    });
  });
});

describe('a retry', () => {
  it('makes a dead one pending, and is in the audit', async () => {
    await postgres.database.query('update notifications set next_attempt_at = clock_timestamp() where id = $1', [
      'ntf-1',
    ]);
    await store.dead((await store.claim(60_000, []))!, 'It answered with HTTP 410.');
    expect(await call('POST', `${id}/notifications/ntf-1/retry`)).toMatchObject({
      status: 202,
      body: { id: 'ntf-1', status: 'pending', attempts: 0, last_error: 'It answered with HTTP 410.' },
    });
    expect((await store.claim(60_000, []))?.record.id).toBe('ntf-1');
    expect(await audit.lines()).toEqual([`ci notification.retry ${id}/ntf-1 succeeded`]);
  });

  it.each([
    ['ntf-1', 409, 'notification_not_dead'],
    ['ntf-2', 409, 'notification_not_dead'],
    ['ntf-4', 404, 'notification_not_found'],
  ])('of %s is refused with %i %s', async (notification, status, code) => {
    expect(await call('POST', `${id}/notifications/${notification}/retry`)).toMatchObject({ status, body: { code } });
  });

  it('needs the scope deploy', async () => {
    expect((await call('POST', `${id}/notifications/ntf-3/retry`, ['read'])).status).toBe(403);
  });
});
