/**
 * Who may do what, at every door: each REST route, MCP tool, resource and prompt, and filter of the log stream, for each kind of
 * principal. The doors are those that the running server names, so a new one that is not in the table fails here.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../support/client.js';
import { McpClient } from '../support/mcp-client.js';
import { selfSigned } from '../support/self-signed.js';
import { type Frame, StreamProbe } from '../support/stream-probe.js';
import { until } from '../support/until.js';
import { Workbench } from '../support/workbench.js';
import {
  addressOf,
  type Named,
  PROMPTS,
  RESOURCES,
  ROUTES,
  STREAM_FIELDS,
  TOOLS,
  UNKNOWN,
} from './authorisation.routes.js';

/** Stands still, and needs no replica for it. */
const IDLE = { image: 'busybox:1', command: ['sleep', '1000'], port: 0, replicas: 0 };
const EVERYTHING = ['read', 'deploy', 'rollback', 'apps:write'];
/** Where nobody listens: whatever is to be told there is given up. */
const NOTIFY = {
  name: 'notify',
  options: { targets: [{ name: 'team', type: 'webhook', url: 'http://127.0.0.1:9/hook' }] },
};

const WITHOUT_TOKEN = ['none', 'expired', 'revoked'] as const;
type PrincipalName = (typeof WITHOUT_TOKEN)[number] | 'read' | 'deploy' | 'other' | 'agent';

let bench: Workbench;
let principals: Readonly<Record<PrincipalName, Client>>;
/** What belongs to an app that `other` may not touch, and what belongs to its own. */
let foreign: Named;
let own: Named;

beforeAll(async () => {
  bench = await Workbench.set({ WS_HOST: '0.0.0.0', NOTIFY_ALLOWED_HOSTS: '127.0.0.1' });
  principals = {
    none: bench.client.withToken(''),
    expired: (await token({ scopes: ['admin'] }, 'expires_at')).client,
    revoked: (await token({ scopes: ['admin'] }, 'revoked_at')).client,
    read: (await token({ scopes: ['read'] })).client,
    deploy: (await token({ scopes: ['deploy'] })).client,
    other: (await token({ scopes: [...EVERYTHING, 'approve'], apps: [bench.app('other')] })).client,
    agent: (await token({ scopes: EVERYTHING, agent: 'robot' })).client,
  };
  [foreign, own] = await Promise.all([belongingsOf('web'), belongingsOf('other')]);
});
afterAll(() => bench.clear());

async function token(order: object, over?: 'expires_at' | 'revoked_at'): Promise<{ id: string; client: Client }> {
  const { body } = await bench.client.request('POST', '/api/v1/tokens', { name: 'test', ...order });
  const id = String(body['id']);
  if (over !== undefined)
    await bench.database((database) =>
      database.query(`update tokens set ${over} = now() - interval '1 second' where id = $1`, [id]),
    );
  return { id, client: bench.client.withToken(String(body['token'])) };
}

/** An app with one of everything. */
async function belongingsOf(name: string): Promise<Named> {
  const app = bench.app(name);
  const { deployment_id } = await bench.client.succeed({ app_name: app, ...IDLE, plugins: [NOTIFY] });
  const { certificate, private_key } = await selfSigned(name, [`${app}.example.com`]);
  const uploaded = await bench.client.request('PUT', `/api/v1/apps/${app}/certificates`, { certificate, private_key });
  const asking = (await token({ scopes: ['deploy'], approval: {} })).client;
  const asked = await asking.request('POST', '/api/v1/deploy', { app_name: app, ...IDLE });
  const notification = await until(async () => {
    const path = `/api/v1/deployments/${deployment_id}/notifications`;
    const { body } = await bench.client.request<{ notifications: { id: string }[] }>('GET', path);
    return body.notifications[0]?.id;
  }, 'the end is to be told');
  const [id, approval] = [String(uploaded.body['id']), String(asked.body['approval_id'])];
  return { app, deployment: deployment_id, notification, certificate: id, approval };
}

const call = (principal: PrincipalName, route: string, named: Named = foreign, body: object = {}) => {
  const { method, path } = addressOf(route, named);
  return principals[principal].request(method, path, method === 'GET' ? undefined : body);
};

/** A request of MCP by itself, without a session unless the headers name one. */
async function askMcp(
  client: Client,
  method: string,
  params: object = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${bench.installation.server.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${client.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  const [, data = text] = /^data: (.*)$/m.exec(text) ?? [];
  return { status: response.status, body: data === '' ? {} : (JSON.parse(data) as unknown) };
}

/** Each thing that can be asked for, about these names. */
const questions = (named: Named): Readonly<Record<string, readonly [method: string, params: object]>> => {
  const tool = (name: string, args: object) => ['tools/call', { name, arguments: args }] as const;
  const resource = (uri: string) => ['resources/read', { uri: uri.replace('{id}', named.deployment) }] as const;
  return {
    deploy_app: tool('deploy_app', { app_name: named.app, ...IDLE }),
    deploy_status: tool('deploy_status', { deployment_id: named.deployment }),
    deploy_logs: tool('deploy_logs', { deployment_id: named.deployment }),
    deploy_rollback: tool('deploy_rollback', { app_name: named.app }),
    deploy_validate: tool('deploy_validate', { app_name: named.app, ...IDLE }),
    deploy_history: tool('deploy_history', { app_name: named.app }),
    ...Object.fromEntries(Object.keys(RESOURCES).map((uri) => [uri, resource(uri)])),
    diagnose_failed_deployment: [
      'prompts/get',
      { name: 'diagnose_failed_deployment', arguments: { deployment_id: named.deployment } },
    ],
  };
};

const says = (principal: PrincipalName, method: string, params?: object) =>
  askMcp(principals[principal], method, params);
const doors = Object.entries({ ...TOOLS, ...RESOURCES, ...PROMPTS });
const ask = (principal: PrincipalName, door: string, named: Named) => says(principal, ...questions(named)[door]!);

/** The same answer for both, apart from the names that were asked for. */
function expectSame(one: unknown, other: unknown, ...names: readonly Named[]): void {
  const shown = (answer: unknown) =>
    names
      .flatMap((named) => Object.entries(named))
      .reduce((text, [kind, name]) => text.replaceAll(String(name), kind), JSON.stringify(answer));
  expect(shown(one)).toBe(shown(other));
}

describe('REST', () => {
  const routes = Object.entries(ROUTES);
  const guarded = routes.filter(([, need]) => need !== 'public');

  it('has a row for every route there is', async () => {
    const { body } = await bench.client.request<{ paths: Record<string, object> }>('GET', '/api/openapi.json');
    const described = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(Object.keys(ROUTES).sort());
  });

  it.each(guarded)('%s is closed to who has no valid token', async (route) => {
    for (const principal of WITHOUT_TOKEN) {
      expect([principal, (await call(principal, route)).status]).toEqual([principal, 401]);
    }
  });

  it.each(guarded)('%s is open to its scope only: %s', async (route, need) => {
    for (const scope of ['read', 'deploy'] as const) {
      const { status, body } = await call(scope, route, UNKNOWN);
      if (need === 'any' || need === scope) expect([401, 403]).not.toContain(status);
      else expect([scope, status, body['code']]).toEqual([scope, 403, 'forbidden']);
    }
  });

  it.each(guarded.filter(([route]) => route.includes('{')))('%s: what is of others is not there', async (route) => {
    const [theirs, nobodys] = [await call('other', route), await call('other', route, UNKNOWN)];
    expect(theirs.status).toBeGreaterThanOrEqual(400);
    expectSame([theirs.status, theirs.body], [nobodys.status, nobodys.body], foreign, UNKNOWN);
  });

  it('what is of others is not there under a name of the own app either', async () => {
    const mixed = (named: Named): readonly [string, Named, object][] => [
      [
        'POST /api/v1/deployments/{id}/notifications/{notification}/retry',
        { ...own, notification: named.notification },
        {},
      ],
      ['POST /api/v1/apps/{name}/rollback', own, { deployment_id: named.deployment }],
      ['POST /api/v1/policy/explain', own, { action: { kind: 'deploy', app_name: named.app } }],
      ['GET /api/v1/apps/{name}/deployments', { ...own, app: named.app }, {}],
    ];
    for (const [index, [route, named, body]] of mixed(foreign).entries()) {
      const [, sameNamed, sameBody] = mixed(UNKNOWN)[index]!;
      const [theirs, nobodys] = [
        await call('other', route, named, body),
        await call('other', route, sameNamed, sameBody),
      ];
      expectSame([theirs.status, theirs.body], [nobodys.status, nobodys.body], foreign, UNKNOWN);
    }
    const approved = (approval: string) =>
      principals.other.request('POST', '/api/v1/deploy', { app_name: own.app, ...IDLE, replicas: -1 }, { approval });
    const [theirs, nobodys] = [await approved(foreign.approval), await approved(UNKNOWN.approval)];
    expectSame(theirs.body, nobodys.body, foreign, UNKNOWN);
  });

  it.each(guarded.filter(([route]) => route.startsWith('GET') && !route.includes('{')))(
    '%s lists nothing of others, whatever is asked for',
    async (route) => {
      const queries = ['', `?app_name=${foreign.app}`, `?deployment_id=${foreign.deployment}`];
      for (const query of queries) {
        const { path } = addressOf(route, foreign);
        const { status, body } = await principals.other.request('GET', path + query);
        const mentioned = Object.values<string>({ ...foreign }).filter((name) => JSON.stringify(body).includes(name));
        // A refusal says what was asked for; a list never does.
        if (status < 400) expect([query, mentioned]).toEqual([query, []]);
        else expect([query, [400, 403]]).toEqual([query, expect.arrayContaining([status])]);
      }
    },
  );

  it('a cursor from the whole log opens nothing but the own part of it', async () => {
    const { body: first } = await bench.client.request(
      'GET',
      `/api/v1/logs?deployment_id=${foreign.deployment}&limit=1`,
    );
    const read = async (client: Client, path: string) =>
      (await client.request<{ entries: { flukedeploy_metadata: { deployment_id: string } }[] }>('GET', path)).body
        .entries;
    const after = `/api/v1/logs?cursor=${String(first['next_cursor'])}`;
    const all = (await read(bench.client, after)).map(({ flukedeploy_metadata: { deployment_id } }) => deployment_id);
    expect(all).toEqual(expect.arrayContaining([foreign.deployment, own.deployment]));
    const seen = (await read(principals.other, after)).map(
      ({ flukedeploy_metadata }) => flukedeploy_metadata.deployment_id,
    );
    expect(new Set(seen)).toEqual(new Set([own.deployment]));
    expect(await read(principals.other, `${after}&deployment_id=${foreign.deployment}`)).toEqual([]);
  });
});

describe('MCP', () => {
  it('has a row for every tool, resource and prompt there is', async () => {
    const listed = async (method: string, list: string, key: string) => {
      const { body } = await says('agent', method);
      const { result } = body as { result: Record<string, Record<string, string>[]> };
      return result[list]?.map((each) => each[key]);
    };
    expect(await listed('tools/list', 'tools', 'name')).toEqual(Object.keys(TOOLS));
    expect(await listed('resources/templates/list', 'resourceTemplates', 'uriTemplate')).toEqual(
      Object.keys(RESOURCES),
    );
    expect(await listed('prompts/list', 'prompts', 'name')).toEqual(Object.keys(PROMPTS));
  });

  it.each(doors)('%s is closed to who has no valid token', async (door) => {
    for (const principal of WITHOUT_TOKEN) {
      expect([principal, (await ask(principal, door, foreign)).status]).toEqual([principal, 401]);
    }
  });

  it.each(doors)('%s is open to its scope only: %s', async (door, need) => {
    for (const scope of ['read', 'deploy'] as const) {
      const { status } = await ask(scope, door, { ...UNKNOWN, app: 'Not An App' });
      expect([scope, status]).toEqual([scope, need === scope ? 200 : 403]);
    }
  });

  it.each(doors)('%s: what is of others is not there', async (door) => {
    const theirs = await ask('other', door, foreign);
    expect(JSON.stringify(theirs.body)).toMatch(/"isError":true|"error":/);
    expectSame(theirs, await ask('other', door, UNKNOWN), foreign, UNKNOWN);
  });

  it('what is of others is not there under a name of the own app either', async () => {
    const mixed = (named: Named) => [
      ['deploy_rollback', { app_name: own.app, deployment_id: named.deployment }],
      ['deploy_logs', { app_name: own.app, deployment_id: named.deployment }],
      ['deploy_logs', { app_name: named.app, deployment_id: own.deployment }],
    ];
    for (const [index, [name, args]] of mixed(foreign).entries()) {
      const [, same] = mixed(UNKNOWN)[index]!;
      const theirs = await says('other', 'tools/call', { name, arguments: args });
      expect(JSON.stringify(theirs.body)).toContain('"isError":true');
      expectSame(theirs, await says('other', 'tools/call', { name, arguments: same }), foreign, UNKNOWN);
    }
  });

  it('what is of others cannot be watched', async () => {
    const watch = (named: Named) => {
      const resourceSubscriptions = [`flukedeploy://deployments/${named.deployment}`];
      return says('other', 'subscriptions/listen', { notifications: { resourceSubscriptions } });
    };
    expectSame(await watch(foreign), await watch(UNKNOWN), foreign, UNKNOWN);
    const session = await McpClient.connect(bench.installation.server.url, principals.other.token, '2025-11-25');
    const subscribe = ({ deployment }: Named) =>
      session.client.subscribeResource({ uri: `flukedeploy://deployments/${deployment}` }).then(
        () => 'subscribed',
        (error: unknown) => String(error),
      );
    expect(await subscribe(own)).toBe('subscribed');
    expect(await subscribe(foreign)).not.toBe('subscribed');
    expectSame(await subscribe(foreign), await subscribe(UNKNOWN), foreign, UNKNOWN);
    await session.close();
  });

  it('lists nothing of others', async () => {
    const answers = [
      await says('other', 'resources/list'),
      await says('other', 'tools/call', { name: 'deploy_history', arguments: {} }),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain(own.deployment);
      expect(JSON.stringify(body)).not.toContain(foreign.deployment);
    }
  });
});

describe('the log stream', () => {
  const open = (principal: PrincipalName): Promise<StreamProbe> => {
    const headers = { authorization: `Bearer ${principals[principal].token}` };
    return StreamProbe.connect(bench.installation.server.streamUrl, [], { headers });
  };
  /** Every frame up to the present. */
  const replayed = async (principal: PrincipalName, filter: object, since = 'beginning'): Promise<Frame[]> => {
    const probe = await open(principal);
    probe.send({ action: 'subscribe', filter, since });
    const frames: Frame[] = [];
    while (!['live', 'error'].includes(String(frames.at(-1)?.['type']))) frames.push(await probe.take());
    probe.cut();
    return frames;
  };
  const namesIn = (frames: readonly Frame[]) =>
    new Set(
      frames.flatMap(
        ({ flukedeploy_metadata: metadata }) =>
          (metadata as { deployment_id: string } | undefined)?.deployment_id ?? [],
      ),
    );

  it('has a row for every field of a subscription there is', async () => {
    const [answer] = await replayed('read', { nothing: 'x' });
    expect(String(answer?.['message'])).toContain(`known are ${STREAM_FIELDS.join(', ')}.`);
  });

  it.each([...WITHOUT_TOKEN, 'deploy'] as const)('is closed to %s', async (principal) => {
    await expect(open(principal)).rejects.toThrow('401');
  });

  it.each(['read', 'agent'] as const)('shows everything to %s', async (principal) => {
    expect(namesIn(await replayed(principal, {}))).toEqual(new Set([foreign.deployment, own.deployment]));
  });

  it('shows to who may see some apps only what is of those', async () => {
    expect(namesIn(await replayed('other', {}))).toEqual(new Set([own.deployment]));
  });

  it.each([
    ['app_name', (named: Named) => ({ app_name: named.app })],
    ['deployment_id', (named: Named) => ({ deployment_id: named.deployment })],
    ['both', (named: Named) => ({ app_name: named.app, deployment_id: named.deployment })],
    ['level', (named: Named) => ({ app_name: named.app, level: 'debug' })],
    ['event_type', (named: Named) => ({ deployment_id: named.deployment, event_type: 'deploy_complete' })],
    ['a mixture', (named: Named) => ({ app_name: own.app, deployment_id: named.deployment })],
  ])('what is of others is not there, by %s', async (_, filterOf) => {
    const theirs = await replayed('other', filterOf(foreign));
    const nobodys = await replayed('other', filterOf(UNKNOWN));
    expectSame(theirs, nobodys, foreign, UNKNOWN);
    expect(namesIn(theirs)).toEqual(new Set());
  });

  it('a cursor from the whole log opens nothing but the own part of it', async () => {
    const { body } = await bench.client.request('GET', `/api/v1/logs?deployment_id=${foreign.deployment}&limit=1`);
    expect(namesIn(await replayed('other', {}, String(body['next_cursor'])))).toEqual(new Set([own.deployment]));
  });
});

describe('a frozen agent', () => {
  const VALIDATION = ['POST /api/v1/validate', 'deploy_validate'];
  const isRefused = (door: string, need: string): boolean => need !== 'read' && !VALIDATION.includes(door);
  beforeAll(() => bench.client.request('POST', '/api/v1/agents/freeze', { reason: 'matrix' }));
  afterAll(() => bench.client.request('POST', '/api/v1/agents/unfreeze'));

  it.each(Object.entries(ROUTES).filter(([, need]) => EVERYTHING.includes(need)))(
    'may read and validate, and is refused by what changes something: %s',
    async (route, need) => {
      const { status, body } = await call('agent', route);
      expect(status === 403 && body['code'] === 'agents_frozen').toBe(isRefused(route, need));
    },
  );

  it.each(doors)('may read and validate, and is refused by what changes something: %s', async (door, need) => {
    const { status, body } = await ask('agent', door, foreign);
    expect([status, JSON.stringify(body).includes('agents_frozen')]).toEqual([200, isRefused(door, need)]);
  });
});

describe('tokens of the same name', () => {
  it('have keys of their own that make their orders repeatable', async () => {
    const [theirs, mine] = [await token({ scopes: ['deploy'] }), await token({ scopes: ['deploy'], apps: [own.app] })];
    const order = ({ client }: { client: Client }, app_name: string) =>
      client.request('POST', '/api/v1/deploy', { app_name, ...IDLE }, { 'idempotency-key': 'commit-1' });
    expect((await order(theirs, foreign.app)).status).toBe(202);
    expect((await order(mine, own.app)).status).toBe(202);
  });

  it('have MCP sessions of their own', async () => {
    const [theirs, mine] = [await token({ scopes: ['read'] }), await token({ scopes: ['read'], apps: [own.app] })];
    const session = await McpClient.connect(bench.installation.server.url, theirs.client.token, '2025-11-25');
    const list = ({ client }: { client: Client }) =>
      askMcp(client, 'tools/list', {}, { 'mcp-session-id': String(session.sessionId) });
    expect((await list(theirs)).status).toBe(200);
    expect((await list(mine)).status).toBe(404);
    await session.close();
  });
});
