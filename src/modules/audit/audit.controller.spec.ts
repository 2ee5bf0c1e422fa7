/** The audit trail over HTTP: found, exported and verified. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { compact, expand } from '../../../test/support/json-ld.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { TestServer } from '../../../test/support/test-server.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { AUDIT_CONTEXT_URL } from '../../domain/audit-context.js';
import { AuthService } from '../auth/index.js';
import { hashPassword } from '../auth/passwords.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';

let postgres: TestDatabase;
let audit: AuditLog;
let server: TestServer;
let session: string;
let token: string;

beforeAll(async () => {
  postgres = await startTestDatabase();
  audit = new AuditLog(postgres.database);
  await new PostgresCredentialStore(postgres.database).setAdminPasswordHash(await hashPassword(PASSWORD), true);
  server = await TestServer.start(postgres.database);
  session = await server.logIn(PASSWORD);
  const order = { name: 'ci', scopes: ['deploy'], agent: 'OPERATOR' } as const;
  ({ token } = await server.app.get(AuthService).createToken(order));
});
afterAll(async () => {
  await server.stop();
  await postgres.stop();
});

describe('GET /api/v1/audit', () => {
  const look = async (query = '', accept = 'application/json'): Promise<Response> => {
    const response = await fetch(`${server.url}/api/v1/audit${query}`, {
      headers: { authorization: `Bearer ${session}`, accept },
    });
    return response;
  };
  const type = (response: Response) => response.headers.get('content-type')?.split(';')[0];

  beforeEach(async () => {
    for (const name of ['one', 'two', 'three']) await server.call('DELETE', `/api/v1/tokens/${name}`, token);
  });

  it('finds and pages', async () => {
    const query = '?action=token.revoke&agent=OPERATOR&outcome=forbidden&target=two';
    const { entries } = (await (await look(query)).json()) as { entries: { target: string }[] };
    expect(new Set(entries.map(({ target }) => target))).toEqual(new Set(['two']));
    const first = (await (await look('?limit=1')).json()) as Record<string, unknown>;
    expect(first).toMatchObject({ entries: [{ number: 1 }], limit: 1, has_more: true });
    const next = (await (await look(`?limit=1&cursor=${String(first['next_cursor'])}`)).json()) as typeof first;
    expect(next).toMatchObject({ entries: [{ number: 2 }] });
  });

  it.each([
    ['?format=json-ld&limit=2', 'application/json'],
    ['?limit=2', 'application/ld+json'],
  ])('%s with Accept %s is JSON-LD of which nothing is dropped', async (query, accept) => {
    const response = await look(query, accept);
    expect(type(response)).toBe('application/ld+json');
    expect(response.headers.get('link')).toMatch(/^<\?.*cursor=[^>]+>; rel="next"$/);
    const entries = (await response.json()) as object[];
    expect(entries).toHaveLength(2);
    for (const entry of entries) expect(await compact(await expand(entry), AUDIT_CONTEXT_URL)).toEqual(entry);
  });

  it.each([
    ['?format=ndjson', 'application/json'],
    ['', 'application/x-ndjson'],
  ])('%s with Accept %s is everything, a line each', async (query, accept) => {
    const response = await look(query, accept);
    expect(type(response)).toBe('application/x-ndjson');
    const lines = (await response.text()).trimEnd().split('\n');
    const { number } = await audit.trail.head();
    expect(lines.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual(
      Array.from({ length: number }, (_, index) => index + 1),
    );
    expect(await (await look(`${query === '' ? '?' : `${query}&`}actor=nobody`, accept)).text()).toBe('');
  });

  it('is an error, and no broken export, where the cursor is wrong from the start', async () => {
    expect((await look('?format=ndjson&cursor=elsewhere.1')).status).toBe(400);
  });

  it.each(['since=yesterday', 'limit=0', 'limit=10001', 'format=xml', 'body=x'])('refuses %s', async (query) => {
    expect((await look(`?${query}`)).status).toBe(400);
  });

  it.each(['2026-02-03', '2026-02-03T10:00:00%2B02:00', '2026-02-03T10:00:00.123456Z'])(
    'takes %s as a time',
    async (since) => {
      expect((await look(`?since=${since}`)).status).toBe(200);
    },
  );

  it('verifies the chain, from an anchor as well', async () => {
    const verify = async (query = '') => (await (await look(`/verify${query}`)).json()) as Record<string, unknown>;
    const head = await audit.trail.head();
    expect(await verify()).toEqual({ valid: true, entries: head.number, head });
    expect(await verify(`?anchor=${head.number}:${head.hash}`)).toMatchObject({ valid: true });
    const forged = `${head.number}:${'0'.repeat(64)}`;
    expect(await verify(`?anchor=${forged}`)).toMatchObject({
      valid: false,
      broken_at: head.number,
      fault: 'rewritten',
    });
    expect((await look('/verify?anchor=1')).status).toBe(400);
  });

  it('is for administrators', async () => {
    expect((await server.call('GET', '/api/v1/audit', token)).status).toBe(403);
    expect((await server.call('GET', '/api/v1/audit/verify', token)).status).toBe(403);
  });
});
