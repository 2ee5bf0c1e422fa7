/** What an agent may do with its token, and what it is told when it may not: every limit, approvals, the freeze. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import type { Client } from '../support/client.js';
import { McpClient } from '../support/mcp-client.js';
import { startSecondApi } from '../support/second-process.js';
import { stopProcess, type RunningServer } from '../support/server-process.js';
import { lines, serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

/** Stands still, and needs no replica for it. */
const IDLE = { image: 'busybox:1', command: ['sleep', '1000'], port: 0, replicas: 0 };
/** Is built for as long as a test takes. */
const BUILDING = {
  source: {
    dockerfile: lines(
      'FROM busybox:1',
      `RUN sleep 300; echo ${randomBytes(6).toString('hex')}`,
      'CMD ["sleep", "1000"]',
    ),
  },
  port: 0,
  replicas: 0,
};
const OPERATOR = { persona: 'operator', agent: 'OPERATOR' };

interface Token {
  readonly id: string;
  readonly client: Client;
}

let bench: Workbench;
/** A second process of the installation, of the role api. */
let second: RunningServer;
let web: DeploymentView;
beforeAll(async () => {
  const secretKey = randomBytes(32).toString('base64');
  bench = await Workbench.set({ FLUKEDEPLOY_SECRET_KEY: secretKey });
  second = await startSecondApi(bench.installation, secretKey);
  web = await bench.client.succeed({ app_name: bench.app('web'), ...IDLE });
});
afterAll(() => stopProcess(second));
afterAll(() => bench.clear());

async function token(order: Record<string, unknown>): Promise<Token> {
  const { status, body } = await bench.client.request('POST', '/api/v1/tokens', { name: 'test', ...order });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { id: String(body['id']), client: bench.client.withToken(String(body['token'])) };
}

const deploy = ({ client }: Token, fields: object, headers: Record<string, string> = {}) =>
  client.request('POST', '/api/v1/deploy', { app_name: bench.app('web'), ...IDLE, ...fields }, headers);
const explain = ({ client }: Token, action: object) =>
  client.request('POST', '/api/v1/policy/explain', { action: { app_name: bench.app('web'), ...action } });
const decide = (approver: Client, id: unknown, word: 'approve' | 'reject', reason?: string) =>
  approver.request('POST', `/api/v1/approvals/${String(id)}/${word}`, reason === undefined ? {} : { reason });

describe('limits', () => {
  let agent: Token;
  beforeAll(async () => {
    const limits = { environments: ['staging', 'preview-*'], max_replicas: 1, strategies: ['rolling'] };
    agent = await token({ ...OPERATOR, apps: [bench.app('*')], ...limits });
  });

  it.each([
    [{ environment: 'production' }, 'environment'],
    [{ environment: 'staging', replicas: 2 }, 'max_replicas'],
    [{ environment: 'preview-7', strategy: 'canary' }, 'strategy'],
  ])('refuse a deploy with %j by the rule %s, and explain says so before', async (fields, rule) => {
    const refused = await deploy(agent, fields);
    expect(refused).toMatchObject({ status: 403, body: { code: 'policy_denied', rule, hint: expect.any(String) } });
    const { body } = await explain(agent, { kind: 'deploy', ...fields });
    expect(body).toEqual({ allowed: false, rule, reason: refused.body['detail'] });
  });

  it('judge the strategy that the app uses where none is asked for', async () => {
    const app_name = bench.app('green');
    await bench.client.succeed({ app_name, ...IDLE, environment: 'staging', strategy: 'blue_green' });
    expect((await deploy(agent, { app_name, environment: 'staging' })).body).toMatchObject({ rule: 'strategy' });
    const action = { kind: 'restart', app_name, environment: 'staging' };
    expect((await explain(agent, action)).body).toMatchObject({ allowed: false, rule: 'strategy' });
  });

  it('count for everything that can be asked for', async () => {
    const path = `/api/v1/apps/${bench.app('web')}`;
    for (const [action, body] of [
      ['scale', { replicas: 1 }],
      ['restart', {}],
    ] as const) {
      const answer = await agent.client.request('POST', `${path}/${action}`, body);
      expect(answer).toMatchObject({ status: 403, body: { code: 'policy_denied', rule: 'environment' } });
    }
    const cancelled = await agent.client.request('POST', `/api/v1/deployments/${web.deployment_id}/cancel`, {});
    expect(cancelled).toMatchObject({ status: 403, body: { code: 'policy_denied', rule: 'environment' } });
  });

  it('let everything else pass, and the agent and for whom it acts stand in each entry', async () => {
    const headers = { 'x-on-behalf-of': 'Ada Lovelace' };
    const accepted = await deploy(agent, { environment: 'staging', replicas: 0 }, headers);
    expect(accepted).toMatchObject({ status: 202, body: { agent: 'OPERATOR', on_behalf_of: 'Ada Lovelace' } });
    const id = String(accepted.body['deployment_id']);
    expect(await bench.client.ended(id)).toMatchObject({ status: 'success', on_behalf_of: 'Ada Lovelace' });
    const [first] = await bench.client.entries(id);
    expect(first?.flukedeploy_metadata).toMatchObject({ agent: 'OPERATOR', on_behalf_of: 'Ada Lovelace' });
    const trail = await bench.database((database) =>
      database.query<{ action: string; target: string; outcome: string }>(
        `select action, target, outcome from audit where actor ->> 'on_behalf_of' = 'Ada Lovelace' order by number`,
      ),
    );
    expect(trail).toEqual([{ action: 'deployment.create', target: id, outcome: 'succeeded' }]);
  });

  it('that refuse are recorded once, with their rule', async () => {
    const { id, client } = await token({ ...OPERATOR, max_replicas: 1 });
    await deploy({ id, client }, { replicas: 2 });
    const trail = await bench.database((database) =>
      database.query<{ action: string; outcome: string; rule: string }>(
        `select action, outcome, rule from audit where actor ->> 'token_id' = $1`,
        [id],
      ),
    );
    expect(trail).toEqual([
      { action: 'deployment.create', outcome: 'policy_denied', rule: expect.stringMatching(/^max_replicas: 2 /) },
    ]);
  });

  it('of orders per hour are one for all processes, and say when to come back', async () => {
    const limited = await token({ ...OPERATOR, deploys_per_hour: 2 });
    const there = limited.client.at(second.url);
    const order = { app_name: bench.app('often'), ...IDLE };
    const answers = await Promise.all(
      [limited.client, there, limited.client, there].map((client) => client.request('POST', '/api/v1/deploy', order)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 429, 429]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: 'rate_limited_by_policy', rule: 'deploys_per_hour' });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect((await explain(limited, { kind: 'deploy' })).body).toMatchObject({ rule: 'deploys_per_hour' });
    expect((await explain(limited, { kind: 'cancel' })).body).toMatchObject({ allowed: true });
  });
});

describe('explain', () => {
  it('tells the administrator about any token, and others about themselves only', async () => {
    const agent = await token({ ...OPERATOR, environments: ['staging'] });
    const ask = { token_id: agent.id, action: { kind: 'deploy', app_name: bench.app('web') } };
    const { body } = await bench.client.request('POST', '/api/v1/policy/explain', ask);
    expect(body).toMatchObject({ allowed: false, rule: 'environment' });
    expect((await agent.client.request('POST', '/api/v1/policy/explain', ask)).status).toBe(403);
    const unknown = { ...ask, token_id: '000000000000' };
    expect((await bench.client.request('POST', '/api/v1/policy/explain', unknown)).status).toBe(404);
  });

  it('does nothing: no approval is asked for, no order is counted', async () => {
    const agent = await token({ ...OPERATOR, deploys_per_hour: 1, approval: {} });
    for (let asked = 0; asked < 3; asked++) {
      const { body } = await explain(agent, { kind: 'deploy' });
      expect(body).toMatchObject({ allowed: false, rule: 'approval', needs_approval: true });
    }
    expect((await agent.client.request('GET', '/api/v1/approvals')).body).toEqual({ approvals: [] });
  });
});

describe('approval', () => {
  const asking = () => token({ ...OPERATOR, approval: { environments: ['production'] } });
  const required = async (agent: Token, fields: object = {}): Promise<string> => {
    const answer = await deploy(agent, fields);
    expect(answer).toMatchObject({ status: 403, body: { code: 'approval_required', rule: 'approval' } });
    return String(answer.body['approval_id']);
  };

  it('by a person lets the very same request pass, once', async () => {
    const agent = await asking();
    const id = await required(agent);
    expect(await required(agent)).toBe(id);
    const waiting = await bench.client.request('GET', '/api/v1/approvals?status=pending');
    expect(waiting.body['approvals']).toContainEqual(
      expect.objectContaining({ approval_id: id, agent: 'OPERATOR', kind: 'deploy', summary: expect.any(String) }),
    );
    expect(await decide(bench.client, id, 'approve')).toMatchObject({ status: 200, body: { status: 'approved' } });

    const racing = await Promise.all(
      [agent.client, agent.client.at(second.url)].map((client) => deploy({ ...agent, client }, {})),
    );
    expect(racing.map(({ status }) => status).sort()).toEqual([202, expect.any(Number)]);
    expect(racing.filter(({ status }) => status === 202)).toHaveLength(1);
    expect((await deploy(agent, {}, { approval: id })).body).toMatchObject({ code: 'approval_used' });
    expect(await required(agent)).not.toBe(id);
  });

  it('is told of beforehand by a validation, which asks nobody', async () => {
    const agent = await asking();
    const validate = (fields: object) =>
      agent.client.request('POST', '/api/v1/validate', { app_name: bench.app('web'), ...IDLE, ...fields });
    expect(await validate({})).toMatchObject({ status: 200, body: { valid: true, requires_approval: true } });
    expect((await validate({ environment: 'staging' })).body).not.toHaveProperty('requires_approval');
    expect((await agent.client.request('GET', '/api/v1/approvals')).body).toEqual({ approvals: [] });
  });

  it('is not needed where the rule does not ask for it', async () => {
    expect((await deploy(await asking(), { environment: 'staging' })).status).toBe(202);
  });

  it('counts for nothing but the request that was approved', async () => {
    const agent = await asking();
    const id = await required(agent, { env: { KEY: 'one' } });
    await decide(bench.client, id, 'approve');
    for (const changed of [{ env: { KEY: 'two' } }, { replicas: 1, env: { KEY: 'one' } }, {}]) {
      expect(await required(agent, changed)).not.toBe(id);
      expect((await deploy(agent, changed, { approval: id })).body).toMatchObject({ code: 'approval_mismatch' });
    }
    const another = await asking();
    expect((await deploy(another, { env: { KEY: 'one' } }, { approval: id })).body).toMatchObject({
      code: 'approval_not_found',
    });
    // The order of the fields is no change.
    const { image, ...rest } = IDLE;
    const turned = { env: { KEY: 'one' }, ...rest, app_name: bench.app('web'), image };
    const accepted = await agent.client.deploy(turned);
    expect(await agent.client.ended(accepted.deployment_id)).toMatchObject({ status: 'success' });
  });

  it('counts for nothing once the settings have changed that the request leaves to the app', async () => {
    const agent = await asking();
    const id = await required(agent, { reason: 'as it is' });
    await decide(bench.client, id, 'approve');
    await bench.client.succeed({ app_name: bench.app('web'), ...IDLE, env: { KEY: 'later' } });
    expect((await deploy(agent, { reason: 'as it is' }, { approval: id })).body).toMatchObject({
      code: 'approval_mismatch',
    });
    expect(await required(agent, { reason: 'as it is' })).not.toBe(id);
  });

  it('with an Idempotency-Key is used once, and the same key still answers the same deployment', async () => {
    const agent = await asking();
    await decide(bench.client, await required(agent, { reason: 'key' }), 'approve');
    const [one, again] = [
      await deploy(agent, { reason: 'key' }, { 'idempotency-key': agent.id }),
      await deploy(agent, { reason: 'key' }, { 'idempotency-key': agent.id }),
    ];
    expect([one.status, again.status]).toEqual([202, 202]);
    expect(again.body['deployment_id']).toBe(one.body['deployment_id']);
  });

  it('that was rejected says why, and that has expired makes room for a new one', async () => {
    const agent = await asking();
    const rejected = await required(agent, { reason: 'one' });
    await decide(bench.client, rejected, 'reject', 'not on a Friday');
    const told = await deploy(agent, { reason: 'one' });
    expect(told.body).toMatchObject({ code: 'approval_rejected', detail: expect.stringContaining('not on a Friday') });

    const late = await required(agent, { reason: 'two' });
    await decide(bench.client, late, 'approve');
    await bench.database((database) => database.query('update approvals set expires_at = now() where id = $1', [late]));
    expect((await deploy(agent, { reason: 'two' }, { approval: late })).body).toMatchObject({
      code: 'approval_expired',
    });
    expect(await required(agent, { reason: 'two' })).not.toBe(late);
  });

  it('is given by people only, never by an agent, by who asked, or for the apps of others', async () => {
    const agent = await asking();
    const id = await required(agent);
    expect((await decide(agent.client, id, 'approve')).body).toMatchObject({ code: 'forbidden' });
    const order = { name: 'x', agent: 'OPERATOR', scopes: ['read', 'approve'] };
    expect((await bench.client.request('POST', '/api/v1/tokens', order)).status).toBe(400);

    const self = await token({ scopes: ['deploy', 'approve'], approval: {} });
    const own = await required(self);
    const refused = await decide(self.client, own, 'approve');
    expect(refused).toMatchObject({ status: 403, body: { code: 'policy_denied', rule: 'others_approve' } });

    const stranger = await token({ scopes: ['approve'], apps: ['other-*'] });
    expect((await decide(stranger.client, id, 'approve')).body).toMatchObject({ code: 'approval_not_found' });
    expect((await stranger.client.request('GET', '/api/v1/approvals')).body).toEqual({ approvals: [] });

    const person = await token({ scopes: ['approve'] });
    expect((await decide(person.client, id, 'approve')).status).toBe(200);
    expect((await decide(person.client, id, 'reject')).body).toMatchObject({ code: 'approval_decided' });
  });

  it('of the next step of a rollout lets it be promoted, while stopping it needs none', async () => {
    const agent = await token({ ...OPERATOR, approval: { kinds: ['promote'] } });
    const app_name = bench.app('steps');
    const waiting = { ...serving('two'), app_name, strategy: { type: 'blue_green', auto_promote: false } };
    await bench.client.succeed({ ...serving('one'), app_name });
    const say = (id: string, word: string) => agent.client.request('POST', `/api/v1/deployments/${id}/${word}`, {});
    const paused = async () => {
      const { deployment_id } = await agent.client.deploy(waiting);
      await agent.client.until(deployment_id, ({ rollout }) => rollout?.paused !== undefined);
      return deployment_id;
    };

    const id = await paused();
    const asked = await say(id, 'promote');
    expect(asked).toMatchObject({ status: 403, body: { code: 'approval_required' } });
    await decide(bench.client, asked.body['approval_id'], 'approve');
    expect((await say(id, 'promote')).status).toBe(202);
    expect(await agent.client.ended(id)).toMatchObject({ status: 'success' });

    const given_up = await paused();
    expect((await say(given_up, 'abort')).status).toBe(202);
    await agent.client.ended(given_up);
  });

  it('cannot be claimed by a field of the request', async () => {
    const agent = await asking();
    const answer = await deploy(agent, { approved: true, approved_by: 'admin' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'unknown_field' } });
  });
});

describe('the freeze', () => {
  const freeze = (body: object) =>
    bench.client.request<{ cancelled: string[] }>('POST', '/api/v1/agents/freeze', { reason: 'odd deploys', ...body });
  const unfreeze = () => bench.client.request('POST', '/api/v1/agents/unfreeze');

  it('stops every agent at once in every process, and nobody else', async () => {
    const agent = await token(OPERATOR);
    const person = await token({ scopes: ['read', 'deploy'] });
    const there = { ...agent, client: agent.client.at(second.url) };
    expect((await freeze({})).status).toBe(200);
    for (const each of [agent, there]) {
      expect(await deploy(each, {})).toMatchObject({
        status: 403,
        body: { code: 'agents_frozen', rule: 'agents_frozen', detail: expect.stringContaining('odd deploys') },
      });
      expect((await each.client.request('GET', '/api/v1/apps')).status).toBe(200);
      expect((await explain(each, { kind: 'deploy' })).body).toMatchObject({ rule: 'agents_frozen' });
    }
    expect((await deploy(person, {})).status).toBe(202);
    const wish = { app_name: bench.app('web'), ...IDLE };
    const validated = await agent.client.request('POST', '/api/v1/validate', wish);
    expect(validated).toMatchObject({ status: 200, body: { valid: true } });
    // Whoever comes over MCP is an agent, whatever its token or its session says.
    for (const { token } of [agent.client, person.client, bench.client]) {
      const client = await McpClient.connect(bench.installation.server.url, token);
      expect(await client.refused('deploy_app', wish)).toMatchObject({ code: 'agents_frozen', rule: 'agents_frozen' });
      expect(await client.told('deploy_validate', wish)).toMatchObject({ valid: true });
      expect(await client.told('deploy_app', { ...wish, dry_run: true })).toMatchObject({ valid: true });
      await client.close();
    }
    const { body } = await bench.client.request('GET', '/api/v1/agents');
    expect(body).toMatchObject({ frozen: { reason: 'odd deploys', by: { name: 'admin' } } });
    expect(body['agents']).toContainEqual(
      expect.objectContaining({ agent: 'OPERATOR', frozen: true, deployments_24h: expect.any(Number) }),
    );

    await unfreeze();
    expect((await deploy(there, {})).status).toBe(202);
  });

  it('lets what runs go on, or cancels what agents have asked for', async () => {
    const agent = await token(OPERATOR);
    const start = async (name: string, client: Client) => {
      const order = { app_name: bench.app(name), ...BUILDING };
      return (await client.request<DeploymentView>('POST', '/api/v1/deploy', order)).body.deployment_id;
    };
    const person = await token({ scopes: ['read', 'deploy'] });
    const [ofAgent, ofAdmin] = [await start('slow', agent.client), await start('own', bench.client)];
    const overMcp = await McpClient.connect(bench.installation.server.url, person.client.token);
    const { deployment_id: viaMcp } = await overMcp.told('deploy_app', { app_name: bench.app('via'), ...BUILDING });
    await overMcp.close();
    expect((await freeze({})).body.cancelled).toEqual([]);
    expect((await bench.client.status(ofAgent)).cancel_reason).toBeUndefined();

    const { cancelled } = (await freeze({ cancel_running: true })).body;
    expect(cancelled).toEqual(expect.arrayContaining([ofAgent, viaMcp]));
    expect(cancelled).not.toContain(ofAdmin);
    expect(await bench.client.ended(ofAgent)).toMatchObject({
      status: 'cancelled',
      cancel_reason: 'agents are frozen: odd deploys',
    });
    expect(await bench.client.ended(String(viaMcp))).toMatchObject({ status: 'cancelled' });
    expect((await bench.client.status(ofAdmin)).cancel_reason).toBeUndefined();
    await bench.client.request('POST', `/api/v1/deployments/${ofAdmin}/cancel`, {});
    await bench.client.ended(ofAdmin);
    await unfreeze();
  });
});
