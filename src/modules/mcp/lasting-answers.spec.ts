/** An answer that stays open, over a real connection, with a real token. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { AuthService } from '../auth/index.js';
import { LoginBackoff } from '../auth/login-backoff.js';
import { LastingAnswers } from './lasting-answers.js';
import { McpOptions } from './mcp-options.js';

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await startTestDatabase();
});
afterAll(() => postgres.stop());

it('ends when the token is revoked, and not before', async () => {
  const auth = new AuthService(new PostgresCredentialStore(postgres.database), new LoginBackoff());
  const answers = new LastingAnswers(auth, new McpOptions('1', undefined, false, 20));
  const server = createServer((request, response) => {
    answers.watch(request, response);
    response.write('first\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [kept, ended] = [
    await auth.createToken({ name: 'kept', scopes: ['read'] }),
    await auth.createToken({ name: 'ended', scopes: ['read'] }),
  ];
  const open = async ({ token }: { token: string }) => {
    const { body } = await fetch(`http://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
    if (body === null) throw new Error('no body');
    const reader = body.getReader();
    await reader.read();
    return reader;
  };
  const [staying, going] = [await open(kept), await open(ended)];

  await auth.revokeToken(ended.id);
  await expect(going.read()).rejects.toThrow();
  const rest = staying.read();
  expect(await Promise.race([rest, Promise.resolve('open')])).toBe('open');

  await auth.revokeToken(kept.id);
  await expect(rest).rejects.toThrow();
  server.close();
});
