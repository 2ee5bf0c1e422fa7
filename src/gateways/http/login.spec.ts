import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { TestServer } from '../../../test/support/test-server.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { hashPassword } from '../../modules/auth/passwords.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';
const ADMIN = {
  actor: { kind: 'admin', name: 'admin' },
  scopes: ['read', 'deploy', 'rollback', 'apps:write', 'approve', 'admin'],
};

let postgres: TestDatabase;
let store: PostgresCredentialStore;
let audit: AuditLog;
let server: TestServer;

beforeAll(async () => {
  postgres = await startTestDatabase();
  audit = new AuditLog(postgres.database);
  store = new PostgresCredentialStore(postgres.database);
  await store.setAdminPasswordHash(await hashPassword(PASSWORD), true);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.database.query('truncate tokens, sessions');
  server = await TestServer.start(postgres.database);
  await audit.begin();
});
afterEach(() => server.stop());

const logIn = (password: string) => server.call('POST', '/api/v1/session', undefined, { password });

describe('logging in', () => {
  it('gives a session for 30 days', async () => {
    const { status, headers, body } = await logIn(PASSWORD);
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    const life = Date.parse(String(body['expires_at'])) - Date.now();
    expect(life).toBeGreaterThan(29 * 86_400_000);
    expect(life).toBeLessThanOrEqual(30 * 86_400_000);
    expect((await server.call('GET', '/api/v1/me', String(body['token']))).status).toBe(200);
    expect(await audit.lines()).toEqual(['anonymous session.create admin succeeded']);
  });

  it('refuses a wrong password, and after five of them even the right one for a while', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await logIn('wrong')).toMatchObject({ status: 401, body: { code: 'wrong_password' } });
    }
    const { status, headers, body } = await logIn(PASSWORD);
    expect([status, body['code']]).toEqual([429, 'too_many_requests']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await audit.lines()).toEqual([
      ...Array<string>(5).fill('anonymous session.create admin wrong_password'),
      'anonymous session.create admin too_many_requests',
    ]);
  });

  it('works as the clients of CapRover do it', async () => {
    const logInAsCaprover = (password: unknown) => server.call('POST', '/api/v2/login', undefined, { password });
    const { status, body } = await logInAsCaprover(PASSWORD);
    expect(status).toBe(200);
    expect(body).toEqual({ status: 100, description: 'Login succeeded', data: { token: expect.any(String) } });
    const { token } = body['data'] as { token: string };
    expect((await server.send('GET', '/api/v1/me', { 'x-captain-auth': token })).body).toEqual(ADMIN);

    expect(await logInAsCaprover('')).toMatchObject({ status: 200, body: { status: 1000 } });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await logInAsCaprover('wrong')).toMatchObject({ status: 200, body: { status: 1105, data: {} } });
    }
    expect(await logInAsCaprover(PASSWORD)).toMatchObject({ status: 200, body: { status: 1113 } });
    // What is told with a status of 200 has its true outcome in the trail.
    expect(await audit.lines()).toEqual([
      'anonymous session.create admin succeeded',
      'anonymous session.create admin invalid_field',
      ...Array<string>(5).fill('anonymous session.create admin wrong_password'),
      'anonymous session.create admin too_many_requests',
    ]);
  });
});
