/** The edge of HTTP and the audit trail: one record for each change and each refusal, and no change without one. */
import { Controller, Get, Post } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { TestServer } from '../../../test/support/test-server.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { DeployError } from '../../domain/errors.js';
import { Audited, AuthService, Policy, Unaudited } from '../../modules/auth/index.js';
import { hashPassword } from '../../modules/auth/passwords.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';

@Controller('things/:name')
@Policy({ scope: 'deploy' })
class ThingsController {
  static changes = 0;

  @Get()
  look(): { seen: boolean } {
    return { seen: true };
  }

  @Post('plan')
  @Audited('thing.plan', ':name/:environment=production')
  plan(): { plan_hash: string; environment: string } {
    ThingsController.changes++;
    return { plan_hash: 'abc123', environment: 'staging' };
  }

  @Post('nothing')
  @Audited('thing.nothing', ':missing', ':name')
  nothing(): void {
    ThingsController.changes++;
  }

  @Post('explain')
  @Unaudited('Nothing is changed.')
  explain(): void {
    throw new DeployError('invalid_field', 'Not this.');
  }

  @Post('busy')
  @Audited('thing.busy', ':name')
  busy(): void {
    throw new DeployError('too_many_requests', 'One at a time.');
  }

  @Post('broken')
  @Audited('thing.break', ':name')
  broken(): void {
    throw new Error('the password is hunter2');
  }
}

let postgres: TestDatabase;
let audit: AuditLog;
let server: TestServer;
let session: string;
let token: string;
let tokenId: string;

beforeAll(async () => {
  postgres = await startTestDatabase();
  audit = new AuditLog(postgres.database);
  await new PostgresCredentialStore(postgres.database).setAdminPasswordHash(await hashPassword(PASSWORD), true);
  server = await TestServer.start(postgres.database, [ThingsController]);
  session = await server.logIn(PASSWORD);
  const order = { name: 'ci', scopes: ['deploy'], agent: 'OPERATOR' } as const;
  ({ id: tokenId, token } = await server.app.get(AuthService).createToken(order));
});
afterAll(async () => {
  await server.stop();
  await postgres.stop();
});
beforeEach(async () => {
  ThingsController.changes = 0;
  await audit.begin();
});

const bearer = (more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });

describe('a change', () => {
  it('is recorded with who, where from, what, and the plan that it followed', async () => {
    const { status, headers } = await server.call('POST', '/things/one/plan', token);
    expect(status).toBe(201);
    expect(await audit.entries()).toEqual([
      {
        number: expect.any(Number),
        at: expect.any(String),
        actor: { kind: 'token', name: 'ci', agent: 'OPERATOR', token_id: tokenId },
        action: 'thing.plan',
        target: 'one/staging',
        outcome: 'succeeded',
        address: '127.0.0.1',
        plan_hash: 'abc123',
        request_id: headers.get('x-request-id'),
        prev_hash: expect.any(String),
        hash: expect.any(String),
      },
    ]);
  });

  it.each([
    ['POST', '/things/one/nothing', 201, 'ci thing.nothing one succeeded'],
    ['POST', '/THINGS/one/Nothing/', 201, 'ci thing.nothing one succeeded'],
    ['POST', '/things/one/busy', 429, 'ci thing.busy one too_many_requests'],
    ['POST', '/things/one/broken', 500, 'ci thing.break one internal'],
    ['POST', '/api/v1/tokens', 403, 'ci token.create /api/v1/tokens forbidden'],
    ['DELETE', '/api/v1/tokens/abc', 403, 'ci token.revoke abc forbidden'],
  ])('%s %s leaves one record', async (method, path, status, line) => {
    expect((await server.call(method, path, token)).status).toBe(status);
    expect(await audit.lines()).toEqual([line]);
    expect(JSON.stringify(await audit.entries())).not.toContain('hunter2');
  });

  it('whose body cannot even be read is one too', async () => {
    const headers = bearer({ 'content-type': 'application/json' });
    const response = await fetch(`${server.url}/things/o%20ne/plan`, { method: 'POST', headers, body: '{"secret' });
    expect(response.status).toBe(400);
    await response.body?.cancel();
    expect(await audit.lines()).toEqual(['anonymous thing.plan o%20ne/production malformed_json']);
  });

  it('of an address that does not exist is none', async () => {
    expect((await server.call('POST', '/nowhere', token)).status).toBe(404);
    expect((await server.call('PUT', '/things/one/plan', token)).status).toBe(405);
    expect(await audit.lines()).toEqual([]);
  });
});

describe('a refusal', () => {
  it.each([
    ['GET', '/things/one', undefined, 401, 'anonymous read /things/one unauthenticated'],
    ['HEAD', '/things/one', undefined, 401, 'anonymous read /things/one unauthenticated'],
    ['POST', '/things/one/plan', undefined, 401, 'anonymous thing.plan one/production unauthenticated'],
    ['GET', '/api/v1/tokens?secret=x', 'ours', 403, 'ci read /api/v1/tokens forbidden'],
    ['POST', '/things/one/explain', undefined, 401, 'anonymous read /things/one/explain unauthenticated'],
  ])('of %s %s (%s) is recorded', async (method, path, asker, status, line) => {
    expect((await server.call(method, path, asker && token)).status).toBe(status);
    expect(await audit.lines()).toEqual([line]);
  });

  it('says which rule it was', async () => {
    await server.call('GET', '/api/v1/tokens', token);
    expect(await audit.entries()).toMatchObject([
      { actor: { token_id: tokenId }, rule: 'This needs the scope admin; the token has deploy.' },
    ]);
  });

  it('is one for looks at things only where credentials are the reason', async () => {
    expect((await server.call('GET', '/things/one', token)).status).toBe(200);
    expect((await server.call('GET', '/nowhere', token)).status).toBe(404);
    expect((await server.call('POST', '/things/one/explain', token)).status).toBe(400);
    expect(await audit.lines()).toEqual([]);
  });
});

describe('X-On-Behalf-Of', () => {
  const act = (claim: string, authorization = `Bearer ${token}`) =>
    server.send('POST', '/things/one/nothing', { authorization, 'x-on-behalf-of': claim });

  it('of a token is kept as its claim', async () => {
    expect((await act(Buffer.from('Zoë <zoe@example.com>').toString('latin1'))).status).toBe(201);
    expect(await audit.entries()).toMatchObject([{ actor: { name: 'ci', on_behalf_of: 'Zoë <zoe@example.com>' } }]);
  });

  it('of a session is none: an administrator acts for nobody else', async () => {
    expect((await act('ana', `Bearer ${session}`)).status).toBe(201);
    expect((await audit.entries())[0]?.actor).toEqual({ kind: 'admin', name: 'admin' });
  });

  it.each([['x'.repeat(201)], ['\u0080'], ['a\tb']])('that is %j is refused, and nothing is done', async (claim) => {
    expect(await act(claim)).toMatchObject({ status: 400, body: { errors: [{ path: 'X-On-Behalf-Of' }] } });
    expect(ThingsController.changes).toBe(0);
    expect(await audit.lines()).toEqual(['ci thing.nothing one invalid_field']);
  });

  it('that holds a secret is kept without it', async () => {
    expect((await act(token)).status).toBe(201);
    expect(JSON.stringify(await audit.entries())).not.toContain(token.slice(20, 50));
  });
});

describe('a trail that cannot be written', () => {
  const rename = (from: string, to: string) => postgres.database.query(`alter table ${from} rename to ${to}`);
  let away: readonly string[] = [];
  async function takeAway(...tables: string[]): Promise<void> {
    for (const table of tables) await rename(table, `${table}_away`);
    away = tables;
  }
  async function bringBack(): Promise<void> {
    for (const table of away) await rename(`${table}_away`, table);
    away = [];
  }
  afterEach(bringBack);

  it('stops every change before it is made', async () => {
    await takeAway('audit_intents');
    const { status, headers, body } = await server.call('POST', '/things/one/plan', token);
    expect([status, body['code']]).toEqual([503, 'unavailable']);
    expect(headers.get('retry-after')).toBe('2');
    expect(ThingsController.changes).toBe(0);
    expect((await server.call('GET', '/things/one', token)).status).toBe(200);
  });

  it('changes no refusal into anything else', async () => {
    await takeAway('audit', 'audit_intents');
    expect((await server.call('GET', '/things/one')).status).toBe(401);
    expect((await server.call('POST', '/api/v1/tokens', token)).status).toBe(403);
  });

  it('leaves the answer as it is when the change is made already, and knows of it later', async () => {
    await takeAway('audit');
    expect((await server.call('POST', '/things/one/plan', token)).status).toBe(201);
    await bringBack();
    expect(await audit.lines()).toEqual([]);
    expect(await audit.trail.settleAbandoned(0)).toBe(1);
    expect(await audit.lines()).toEqual(['ci thing.plan one/production unknown']);
  });
});
