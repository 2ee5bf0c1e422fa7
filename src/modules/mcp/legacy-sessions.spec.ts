/** Sessions over real HTTP, as clients hold them: many of one owner, and one that only listens. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { McpServer } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { LIMITS } from '../../domain/limits.js';
import type { DeploymentResources } from './deployment-resources.js';
import { LegacySessions } from './legacy-sessions.js';
import { McpOptions } from './mcp-options.js';
import type { McpServers } from './mcp-servers.js';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const PING = { jsonrpc: '2.0', id: 2, method: 'ping' };

let sessions: LegacySessions;
let server: Server;
let url: string;

beforeEach(async () => {
  const build = () =>
    new McpServer({ name: 'test', version: '1' }, { capabilities: { resources: { subscribe: true } } });
  sessions = new LegacySessions(
    { build } as unknown as McpServers,
    {} as DeploymentResources,
    new McpOptions('1', undefined, false),
  );
  server = createServer((incoming, outgoing) => void serve(incoming as Request, outgoing as Response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  jest.restoreAllMocks();
  await sessions.beforeApplicationShutdown();
  server.closeAllConnections();
  server.close();
});

/** As the endpoint does it. */
async function serve(request: Request, response: Response): Promise<void> {
  const owner = String(request.headers['owner']);
  const id = request.headers['mcp-session-id'];
  if (request.method === 'POST') request.body = await json(request);
  const session = id === undefined ? undefined : sessions.find(String(id), owner, response);
  if (session) await session.transport.handleRequest(request, response, request.body);
  else if (id === undefined) await sessions.begin(request, response, owner, { name: 'test', capabilities: {} });
  else response.writeHead(404).end();
}

function ask(method: string, owner: string, session?: string, message?: object): Promise<globalThis.Response> {
  return fetch(url, {
    method,
    headers: {
      owner,
      accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      ...(session !== undefined && { 'mcp-session-id': session }),
      ...(message && { 'content-type': 'application/json' }),
    },
    ...(message && { body: JSON.stringify(message) }),
  });
}

async function begin(owner: string): Promise<string> {
  const response = await ask('POST', owner, undefined, INITIALIZE);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

async function statusOf(owner: string, session: string): Promise<number> {
  const response = await ask('POST', owner, session, PING);
  await response.text();
  return response.status;
}

describe('a session', () => {
  it('outlives whatever another owner begins, also at once; of its own the oldest goes', async () => {
    const other = await begin('you');
    const many = await Promise.all(Array.from({ length: LIMITS.mcp_sessions_per_token + 5 }, () => begin('me')));
    const kept: string[] = [];
    for (const session of many) if ((await statusOf('me', session)) === 200) kept.push(session);
    expect(kept).toHaveLength(LIMITS.mcp_sessions_per_token);
    const [oldest = '', ...rest] = kept;
    for (const session of [oldest, ...rest, await begin('me')])
      expect(await statusOf('me', session)).toBe(session === oldest ? 404 : 200);
    expect(await statusOf('you', other)).toBe(200);
    expect(await statusOf('me', other)).toBe(404);
  });

  it('whose client listens is not idle, however long it has said nothing', async () => {
    const [listening, silent] = [await begin('you'), await begin('you')];
    const { body } = await ask('GET', 'you', listening);
    const now = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => now + 31 * 60_000);
    await begin('me');
    expect([await statusOf('you', listening), await statusOf('you', silent)]).toEqual([200, 404]);
    await body?.cancel();
  });

  it('is begun by nobody once the server stops', async () => {
    await sessions.beforeApplicationShutdown();
    const begun = sessions.begin({} as Request, {} as Response, 'me', { name: 'test', capabilities: {} });
    await expect(begun).rejects.toMatchObject({ code: 'unavailable' });
  });
});
