import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { TestServer } from '../../../test/support/test-server.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { hashPassword } from '../../modules/auth/passwords.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';

let postgres: TestDatabase;
let store: PostgresCredentialStore;
let audit: AuditLog;
let server: TestServer;
let session: string;
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
  session = await server.logIn(PASSWORD);
  await audit.begin();
});
afterEach(() => server.stop());

/** Makes a token as its user would, and answers it. */
async function newToken(order: Record<string, unknown>): Promise<string> {
  const { status, body } = await server.call('POST', '/api/v1/tokens', session, { name: 'test', ...order });
  expect(status).toBe(201);
  return String(body['token']);
}

describe('tokens', () => {
  it('are shown once, and kept as a hash only', async () => {
    const { headers, body } = await server.call('POST', '/api/v1/tokens', session, { name: 'ci', scopes: ['read'] });
    const { id, token, created_at, expires_at } = body as Record<string, string>;
    expect(body).toEqual({ id, token, name: 'ci', scopes: ['read'], created_at, expires_at });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Date.parse(expires_at ?? '') - Date.parse(created_at ?? '')).toBe(365 * 86_400_000);
    const kept = JSON.stringify(await postgres.database.query('select * from tokens'));
    expect(kept).not.toContain(token?.split('_').slice(2).join('_'));
    const { body: list } = await server.call('GET', '/api/v1/tokens', session);
    expect(list).toEqual({ tokens: [{ id, name: 'ci', scopes: ['read'], created_at, expires_at }] });
  });

  it('expire when asked to', async () => {
    await newToken({ scopes: ['read'], expires_in_days: 1 });
    const [token] = await store.listTokens();
    const life = Date.parse(token?.expires_at ?? '') - Date.parse(token?.created_at ?? '');
    expect(life).toBe(86_400_000);
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'line\nbreak' }, 'name'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['root'] }, 'scopes'],
    [{ scopes: 'read' }, 'scopes'],
    [{ apps: [] }, 'apps'],
    [{ apps: ['Web'] }, 'apps'],
    [{ apps: null }, 'apps'],
    [{ agent: null }, 'agent'],
    [{ apps: ['*'], scopes: ['admin'] }, 'apps'],
    [{ expires_in_days: 0 }, 'expires_in_days'],
    [{ expires_in_days: 3_651 }, 'expires_in_days'],
    [{ expires_in_days: '30' }, 'expires_in_days'],
    [{ revoked_at: null }, 'revoked_at'],
    [{ environments: ['Prod'] }, 'environments'],
    [{ environments: [] }, 'environments'],
    [{ max_replicas: -1 }, 'max_replicas'],
    [{ max_replicas: null }, 'max_replicas'],
    [{ strategies: ['fast'] }, 'strategies'],
    [{ deploys_per_hour: 0 }, 'deploys_per_hour'],
    [{ approval: [] }, 'approval'],
    [{ approval: 'production' }, 'approval'],
    [{ approval: null }, 'approval'],
    [{ approval: { kinds: ['cancel'] } }, 'approval.kinds'],
    [{ approval: { environments: 'production' } }, 'approval.environments'],
    [{ approval: { approved: true } }, 'approval.approved'],
    [{ approval: { by_elicitation: 'yes' } }, 'approval.by_elicitation'],
    [{ scopes: undefined }, 'scopes'],
    [{ persona: 'root' }, 'persona'],
    [{ persona: 'operator', agent: 'OPERATOR' }, 'scopes'],
    [{ persona: 'operator', scopes: undefined }, 'agent'],
    [{ max_replicas: 1, scopes: ['admin'] }, 'max_replicas'],
    [{ approval: {}, scopes: ['admin'] }, 'approval'],
    [{ agent: 'OPERATOR', scopes: ['admin'] }, 'scopes'],
    [{ agent: 'OPERATOR', scopes: ['read', 'approve'] }, 'scopes'],
  ])('are not made from %j', async (wrong, path) => {
    const order = { name: 'ci', scopes: ['read'], ...wrong };
    const { status, body } = await server.call('POST', '/api/v1/tokens', session, order);
    expect(status).toBe(400);
    expect(body['errors']).toEqual([{ path, message: expect.any(String) }]);
    expect(await store.listTokens()).toEqual([]);
  });

  it('of the persona operator are for an agent, and for a month', async () => {
    const limits = {
      environments: ['staging'],
      max_replicas: 2,
      strategies: ['rolling'],
      approval: { apps: ['web-*'] },
    };
    const order = { name: 'ops', persona: 'operator', agent: 'OPERATOR', ...limits };
    const { status, body } = await server.call('POST', '/api/v1/tokens', session, order);
    expect(status).toBe(201);
    expect(body).toMatchObject({ agent: 'OPERATOR', scopes: ['read', 'deploy', 'rollback'], ...limits });
    expect(Date.parse(String(body['expires_at'])) - Date.parse(String(body['created_at']))).toBe(30 * 86_400_000);
    const me = await server.call('GET', '/api/v1/me', String(body['token']));
    expect(me.body).toMatchObject({ token_id: body['id'], limits });
    const { body: list } = await server.call('GET', '/api/v1/tokens', session);
    expect(list).toMatchObject({ tokens: [{ id: body['id'], ...limits }] });
  });

  it('leave a trail of who made and revoked them', async () => {
    const token = await newToken({ name: 'ops', scopes: ['admin'] });
    const id = token.split('_')[1] ?? '';
    await server.call('DELETE', `/api/v1/tokens/${id}`, token);
    expect((await server.call('DELETE', `/api/v1/tokens/${id}`, session)).body).toMatchObject({
      code: 'token_not_found',
    });
    expect(await audit.lines()).toEqual([
      `admin token.create ${id} succeeded`,
      `ops token.revoke ${id} succeeded`,
      `admin token.revoke ${id} token_not_found`,
    ]);
  });
});
