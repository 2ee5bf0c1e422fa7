import { Controller, Get, Param, Post } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { TestServer } from '../../../test/support/test-server.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { hashPassword } from '../../modules/auth/passwords.js';
import type { Principal } from '../../domain/ports.js';
import { hashToken, newApiToken } from '../../modules/auth/credentials.js';
import { Audited, CurrentPrincipal, Policy, Public, RouteInventory } from '../../modules/auth/index.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';
const ADMIN = {
  actor: { kind: 'admin', name: 'admin' },
  scopes: ['read', 'deploy', 'rollback', 'apps:write', 'approve', 'admin'],
};

@Controller('apps')
class AppsController {
  @Get(':name')
  @Policy({ scope: 'read', app: 'name' })
  find(@Param('name') name: string): { name: string } {
    return { name };
  }

  @Post(':name/deploy')
  @Audited('app.deploy', ':name')
  @Policy({ scope: 'deploy', app: 'name' })
  deploy(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }
}

@Controller('public')
@Public('a test')
class PublicController {
  @Get()
  answer(): { open: boolean } {
    return { open: true };
  }
}

let postgres: TestDatabase;
let store: PostgresCredentialStore;
let server: TestServer;
let session: string;
beforeAll(async () => {
  postgres = await startTestDatabase();
  store = new PostgresCredentialStore(postgres.database);
  await store.setAdminPasswordHash(await hashPassword(PASSWORD), true);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  await postgres.database.query('truncate tokens, sessions');
  server = await TestServer.start(postgres.database, [AppsController, PublicController]);
  session = await server.logIn(PASSWORD);
});
afterEach(() => server.stop());

/** Makes a token as its user would, and answers it. */
async function newToken(order: Record<string, unknown>): Promise<string> {
  const { status, body } = await server.call('POST', '/api/v1/tokens', session, { name: 'test', ...order });
  expect(status).toBe(201);
  return String(body['token']);
}

describe('who gets in', () => {
  it('nobody without credentials, and the answer says what to send', async () => {
    const { status, headers, body } = await server.call('GET', '/apps/web');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(body).toMatchObject({ code: 'unauthenticated', hint: expect.stringContaining('Bearer') });
  });

  it('everybody, where a route is public', async () => {
    expect((await server.call('GET', '/public')).body).toEqual({ open: true });
    expect((await server.call('GET', '/public', 'fd_nonsense')).status).toBe(200);
  });

  it('a session, as bearer or in the header of CapRover', async () => {
    expect((await server.call('GET', '/api/v1/me', session)).body).toEqual(ADMIN);
    expect((await server.send('GET', '/api/v1/me', { 'x-captain-auth': session })).body).toEqual(ADMIN);
  });

  it('an API token, with its scopes, apps and agent', async () => {
    const token = await newToken({ name: 'ops', scopes: ['read', 'deploy'], apps: ['web-*'], agent: 'OPERATOR' });
    const principal = {
      actor: { kind: 'token', name: 'ops', agent: 'OPERATOR' },
      token_id: token.split('_')[1],
      scopes: ['read', 'deploy'],
      apps: ['web-*'],
    };
    expect((await server.call('GET', '/api/v1/me', token)).body).toEqual(principal);
    expect((await server.call('POST', '/apps/web-shop/deploy', token)).body).toEqual(principal);
  });

  it('whoever acts for somebody, who is named with it', async () => {
    const token = await newToken({ scopes: ['read'] });
    const me = async (name: string) =>
      server.send('GET', '/api/v1/me', { authorization: `Bearer ${token}`, 'x-on-behalf-of': name });
    expect((await me('ada@example.com')).body).toMatchObject({ actor: { on_behalf_of: 'ada@example.com' } });
    const utf8 = Buffer.from('Ada Łovelace').toString('latin1');
    expect((await me(utf8)).body).toMatchObject({ actor: { on_behalf_of: 'Ada Łovelace' } });
    for (const wrong of ['', 'a'.repeat(201), 'tab\there', '\xff']) {
      expect((await me(wrong)).body).toMatchObject({ code: 'invalid_field', errors: [{ path: 'X-On-Behalf-Of' }] });
    }
  });

  it.each(['', 'fd_', 'fd_0123456789ab_x_00000000', 'a'.repeat(43), "' or 1=1 --"])('no token %j', async (token) => {
    expect((await server.call('GET', '/api/v1/me', token)).status).toBe(401);
  });

  it('no well-formed token that was never made, and none in another form', async () => {
    const token = await newToken({ scopes: ['read'] });
    expect((await server.call('GET', '/api/v1/me', newApiToken().token)).status).toBe(401);
    for (const authorization of [token, `Basic ${token}`, `Bearer ${token} x`, `Bearer ${token}x`, 'Bearer']) {
      expect((await server.send('GET', '/api/v1/me', { authorization })).status).toBe(401);
    }
    expect((await server.call('GET', `/api/v1/me?token=${token}`)).status).toBe(401);
  });

  it('no expired token and no expired session', async () => {
    const { id, token } = newApiToken();
    const expired = { id, name: 'old', scopes: ['read'], created_at: '2020-01-01T00:00:00Z' };
    await store.addToken({ ...expired, expires_at: '2020-01-02T00:00:00Z' }, hashToken(token));
    expect((await server.call('GET', '/api/v1/me', token)).status).toBe(401);
    await postgres.database.query(`update sessions set expires_at = now() - interval '1 second'`);
    expect((await server.call('GET', '/api/v1/me', session)).status).toBe(401);
  });

  it('no token from the moment it is revoked', async () => {
    const token = await newToken({ scopes: ['read'] });
    const { body } = await server.call('GET', '/api/v1/tokens', session);
    const [{ id }] = body['tokens'] as [{ id: string }];
    expect((await server.call('GET', '/api/v1/me', token)).status).toBe(200);
    expect((await server.call('DELETE', `/api/v1/tokens/${id}`, session)).status).toBe(204);
    expect((await server.call('GET', '/api/v1/me', token)).status).toBe(401);
  });

  it('a session made before a restart', async () => {
    await server.stop();
    server = await TestServer.start(postgres.database);
    expect((await server.call('GET', '/api/v1/me', session)).status).toBe(200);
  });
});

describe('what they may do', () => {
  it('only what the scopes say; the refusal names the missing one', async () => {
    const token = await newToken({ scopes: ['read', 'rollback'] });
    const { status, body } = await server.call('POST', '/apps/web/deploy', token);
    expect(status).toBe(403);
    expect(body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('scope deploy') });
    expect((await server.call('GET', '/api/v1/tokens', token)).body).toMatchObject({
      detail: expect.stringContaining('scope admin'),
    });
    expect((await server.call('GET', '/apps/web', token)).status).toBe(200);
  });

  it('everything with the scope admin', async () => {
    const token = await newToken({ scopes: ['admin'] });
    expect((await server.call('POST', '/apps/web/deploy', token)).status).toBe(201);
    expect((await server.call('GET', '/api/v1/tokens', token)).status).toBe(200);
  });

  it('nothing with apps of others, which look as if they did not exist', async () => {
    const token = await newToken({ scopes: ['read'], apps: ['web-*', 'api'] });
    expect((await server.call('GET', '/apps/web-shop', token)).status).toBe(200);
    expect((await server.call('GET', '/apps/api', token)).status).toBe(200);
    const { status, body } = await server.call('GET', '/apps/webshop', token);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'app_not_found', detail: 'No app has this name.' });
  });
});

it('lists exactly the routes that the server answers', () => {
  interface Layer {
    readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
  }
  const router = (server.app.getHttpAdapter().getInstance() as { router: { stack: Layer[] } }).router;
  const served = router.stack.flatMap(({ route }) =>
    route ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`) : [],
  );
  const routes = server.app.get(RouteInventory).routes();
  expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort());
  expect(routes).toContainEqual({
    method: 'GET',
    path: '/apps/:name',
    handler: 'AppsController.find',
    policy: { scope: 'read', app: 'name' },
    unaudited: false,
  });
  expect(routes.filter(({ policy }) => policy === undefined)).toEqual([]);
});
