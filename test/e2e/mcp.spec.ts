/** Agents deploy over MCP, with the official client in both eras, on the real server and Swarm. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { BUDGET, deployDiagnoseRollBack, type Part } from '../support/agent-task.js';
import { ERAS, McpClient, type Person } from '../support/mcp-client.js';
import { differences, type Components, type Schema } from '../support/schema-differences.js';
import { tokensOf } from '../support/scripted-agent.js';
import { until } from '../support/until.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const MOST_CALLS = 12;

let bench: Workbench;
let agent: McpClient;

beforeAll(async () => {
  bench = await Workbench.set();
  agent = await McpClient.connect(bench.installation.server.url, await token({ agent: 'OPERATOR' }));
});
afterAll(async () => {
  await agent.close();
  await bench.clear();
});

async function token(order: Record<string, unknown> = {}): Promise<string> {
  const body = { name: 'agent', scopes: ['read', 'deploy', 'rollback'], ...order };
  return (await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', body)).body.token;
}

async function connected(order: Record<string, unknown> = {}): Promise<McpClient> {
  return McpClient.connect(bench.installation.server.url, await token(order));
}

describe.each(ERAS)('a client of %s', (era) => {
  let client: McpClient;
  beforeAll(async () => {
    client = await McpClient.connect(bench.installation.server.url, await token(), era);
  });
  afterAll(() => client.close());

  it('has a session only where its protocol has', () => {
    expect(typeof client.sessionId).toBe(era === '2025-11-25' ? 'string' : 'undefined');
  });

  it('finds six tools that say what they do, in no more than their share of tokens', async () => {
    const { tools } = await client.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'deploy_app',
      'deploy_status',
      'deploy_logs',
      'deploy_rollback',
      'deploy_validate',
      'deploy_history',
    ]);
    expect(tokensOf(JSON.stringify(tools))).toBeLessThanOrEqual(BUDGET['tool list']);
    for (const { description, inputSchema, outputSchema, annotations } of tools) {
      expect({ description, inputSchema, outputSchema, annotations }).toEqual({
        description: expect.any(String),
        inputSchema: expect.objectContaining({ type: 'object' }),
        outputSchema: expect.objectContaining({ type: 'object' }),
        annotations: expect.objectContaining({
          readOnlyHint: expect.any(Boolean),
          destructiveHint: expect.any(Boolean),
        }),
      });
    }
  });

  it('drives every tool, hears of the progress, and is named as the actor', async () => {
    const app = bench.app(era === '2026-07-28' ? 'new' : 'old');
    const heard: string[] = [];
    const deployed = await client.told(
      'deploy_app',
      { app_name: app, ...serving('one'), replicas: 1, strategy: 'rolling', auto_rollback: true, wait_for: 'end' },
      { onprogress: ({ message }) => heard.push(message ?? '') },
    );
    expect(deployed).toMatchObject({ app_name: app, status: 'success', final: true, release: 1 });
    expect(heard.some((message) => message.startsWith('deploying'))).toBe(true);

    const second = await client.told('deploy_app', { app_name: app, ...serving('two'), wait_for: 'end' });
    expect(second).toMatchObject({ status: 'success', release: 2 });
    const status = await client.told('deploy_status', {
      deployment_id: second['deployment_id'],
      response_format: 'detailed',
    });
    expect(status).toMatchObject({ status: 'success', agent: 'test-agent/1.0.0', phases: expect.any(Array) });

    const planned = await client.told('deploy_rollback', { app_name: app, dry_run: true });
    expect(planned).toMatchObject({
      valid: true,
      plan: expect.arrayContaining([expect.objectContaining({ phase: 'deploy' })]),
      next: { tool: 'deploy_rollback', arguments: { app_name: app, expected_plan_hash: planned['plan_hash'] } },
    });
    expect(await client.refused('deploy_rollback', { app_name: app, expected_plan_hash: 'another' })).toMatchObject({
      code: 'plan_changed',
      next: { tool: 'deploy_rollback', arguments: { dry_run: true } },
    });
    const order = { ...planned.next.arguments, reason: 'High error rate', wait_for: 'end' };
    const back = await client.told('deploy_rollback', order);
    expect(back).toMatchObject({ kind: 'rollback', status: 'success', release: 3 });
    const history = await client.told('deploy_history', { app_name: app, limit: 2 });
    expect(history).toMatchObject({
      deployments: [
        { kind: 'rollback', rollback_to: 1 },
        { deployment_id: second['deployment_id'], status: 'success' },
      ],
      total: 3,
    });
    const older = await client.told(history.next.tool, history.next.arguments);
    expect(older['deployments']).toMatchObject([{ deployment_id: deployed['deployment_id'] }]);

    const log = await client.told('deploy_logs', { app_name: app, limit: 5 });
    expect(log).toMatchObject({
      entries: 5,
      next_cursor: expect.any(String),
      log: expect.stringContaining('untrusted output'),
    });
    expect(await client.told('deploy_logs', { app_name: app, cursor: log['next_cursor'] })).toMatchObject({
      entries: 0,
    });
    const validated = await client.told('deploy_validate', { app_name: app, environment: 'production' });
    expect(validated).toMatchObject({ valid: true, plan_hash: expect.any(String), next: { tool: 'deploy_app' } });
  });

  it('hears when a resource that it watches has changed, and reads it as JSON-LD', async () => {
    const deployed = await client.told('deploy_app', {
      app_name: bench.app(`watched-${era.slice(0, 4)}`),
      ...serving('x'),
    });
    const uri = `flukedeploy://deployments/${String(deployed['deployment_id'])}`;
    const updates: string[] = [];
    client.client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void updates.push(params.uri),
    );
    if (era === '2026-07-28') await client.client.listen({ resourceSubscriptions: [uri, `${uri}/log`] });
    else for (const each of [uri, `${uri}/log`]) await client.client.subscribeResource({ uri: each });

    await until(async () => updates.includes(uri) && updates.includes(`${uri}/log`), 'both updates');
    await bench.client.ended(String(deployed['deployment_id']));
    const [deployment, log] = await Promise.all(
      [uri, `${uri}/log`].map(async (each) => {
        const { contents } = await client.client.readResource({ uri: each });
        return JSON.parse((contents[0] as { text: string }).text) as Record<string, unknown>;
      }),
    );
    expect(deployment).toMatchObject({ '@type': 'prov:Activity', status: 'success' });
    expect(log?.['@graph']).toEqual(expect.arrayContaining([expect.objectContaining({ '@type': 'UnifiedLogEntry' })]));
  });

  it('follows a log to the end of its deployment', async () => {
    const app = bench.app(`followed-${era.slice(0, 4)}`);
    const { deployment_id } = await client.told('deploy_app', { app_name: app, ...serving('followed') });
    const lines: string[] = [];
    const followed = await client.told(
      'deploy_logs',
      { deployment_id, follow: true },
      { onprogress: ({ message }) => lines.push(message ?? '') },
    );
    expect(followed).toMatchObject({ ended: 'success', has_more: false, next_cursor: expect.any(String) });
    expect(lines).toHaveLength((await bench.client.entries(String(deployment_id))).length);
  });
});

describe('an agent that knows nothing but tools/list', () => {
  it('deploys, gets a failing version, finds the cause, and rolls back, within its share of tokens', async () => {
    const app_name = bench.app('task');
    const { spent, calls, deployed, failed, errors, refused, back } = await deployDiagnoseRollBack(agent, app_name);
    expect(deployed).toMatchObject([{ status: 'success' }, { status: 'success' }]);
    expect(failed).toMatchObject({
      status: 'failed',
      error: {
        phase: 'deploy',
        code: 'container_crashed',
        suggested_fix: expect.any(String),
        evidence: expect.stringContaining('DATABASE_URL is not set'),
      },
      next: { tool: 'deploy_logs' },
    });
    expect(errors['log']).toContain('error');
    expect(refused).toMatchObject({ error: { code: 'release_not_found', next: { tool: 'deploy_history' } } });
    expect(back).toMatchObject({ kind: 'rollback', status: 'success', version: '1.0.0' });
    const { body } = await bench.client.request('GET', `/api/v1/apps/${app_name}`);
    expect(body).toMatchObject({ live: { release: 4 } });

    expect(calls.length).toBeLessThanOrEqual(MOST_CALLS);
    const overspent = Object.entries(spent).filter(([part, tokens]) => tokens > BUDGET[part as Part]);
    expect(overspent).toEqual([]);
    const { messages } = await agent.client.getPrompt({
      name: 'diagnose_failed_deployment',
      arguments: { deployment_id: String(failed['deployment_id']) },
    });
    expect(JSON.stringify(messages)).toContain('DATABASE_URL is not set');
  });
});

describe('the fields of a deployment', () => {
  const HOW = ['dry_run', 'expected_plan_hash', 'idempotency_key', 'wait_for', 'timeout_seconds'];

  it.each([
    // The body has a timeout_seconds too: that of the deployment, which the tool says it does not take.
    ['deploy_app', 'DeployDto', HOW, ['timeout_seconds']],
    ['deploy_validate', 'ValidateDto', [], []],
    ['deploy_rollback', 'RollbackDto', [...HOW, 'app_name'], []],
  ])('of %s are those of the API, in the same form', async (tool, dto, own, alsoThere) => {
    const response = await fetch(`${bench.installation.server.url}/api/openapi.json`);
    const { components } = (await response.json()) as { components: { schemas: Components } };
    const actual = components.schemas[dto] ?? {};
    const advertised = (await agent.list()).find(({ name }) => name === tool)?.inputSchema as Schema;
    const isOfTheApi = (name: string): boolean => !own.includes(name);
    const properties = Object.entries(advertised.properties ?? {});
    const told = {
      ...advertised,
      properties: Object.fromEntries(properties.filter(([name]) => isOfTheApi(name))),
      required: advertised.required?.filter(isOfTheApi) ?? [],
    };
    expect(Object.keys(told.properties).length).toBeGreaterThan(4);
    expect(differences(told, actual, components.schemas)).toEqual([]);
    expect(own.filter((name) => !properties.some(([known]) => known === name))).toEqual([]);
    expect(own.filter((name) => name in (actual.properties ?? {}))).toEqual(alsoThere);
  });
});

describe('a refusal', () => {
  it('of each tool is what its output schema allows', async () => {
    const ajv = new Ajv2020({ strict: false });
    for (const { name, outputSchema } of await agent.list()) {
      const isAllowed = ajv.compile(outputSchema as object);
      const { told, isError } = await agent.call(name, { app_name: 'Not A Name', deployment_id: 'dep-unknown' });
      expect({ name, isError, isAllowed: isAllowed(told) }).toEqual({ name, isError: true, isAllowed: true });
    }
  });
});

describe('a call', () => {
  it('is told what is wrong with it, field by field, and what to call instead', async () => {
    expect(await agent.refused('deploy_app', { app_name: 'Not A Name', image: 'x:1', replicas: 'many' })).toMatchObject(
      {
        code: 'invalid_field',
        fields: expect.arrayContaining([expect.objectContaining({ path: 'replicas' })]),
        next: { tool: 'deploy_app', arguments: { image: 'x:1' } },
      },
    );
    expect(await agent.refused('deploy_app', { app_name: 'web', image: 'x:1', wishes: 1 })).toMatchObject({
      code: 'unknown_field',
      field: 'wishes',
    });
    expect(await agent.refused('deploy_status', {})).toMatchObject({ code: 'invalid_field', field: 'deployment_id' });
    expect(await agent.refused('deploy_logs', {})).toMatchObject({ code: 'invalid_field', field: 'app_name' });
    expect(await agent.refused('deploy_history', { cursor: 'nonsense' })).toMatchObject({ code: 'cursor_invalid' });
    const image = await agent.refused('deploy_app', { app_name: 'web', env: { SECRET: 'tell nobody' } });
    expect(JSON.stringify(image)).not.toContain('tell nobody');
  });

  it('with a key that was used before never deploys twice', async () => {
    const order = { app_name: bench.app('once'), ...serving('once'), idempotency_key: 'a key' };
    expect(await agent.refused('deploy_app', order)).toMatchObject({ code: 'invalid_field', field: 'idempotency_key' });
    const first = await agent.told('deploy_app', { ...order, idempotency_key: 'a-key' });
    const again = await agent.told('deploy_app', { ...order, idempotency_key: 'a-key', wait_for: 'end' });
    expect(again['deployment_id']).toBe(first['deployment_id']);
    expect(await agent.refused('deploy_app', { ...order, replicas: 3, idempotency_key: 'a-key' })).toMatchObject({
      code: 'idempotency_key_reused',
      next: { tool: 'deploy_app' },
    });
  });

  it('with a key and a plan gets the same deployment again, though the plan is another one by now', async () => {
    const app_name = bench.app('twice');
    const twice = async (tool: string, wish: Record<string, unknown>) => {
      const { next } = await agent.told(tool, { ...wish, idempotency_key: tool, dry_run: true });
      expect(next).toMatchObject({
        tool,
        arguments: { idempotency_key: tool, expected_plan_hash: expect.any(String) },
      });
      const order = { ...wish, ...next.arguments };
      const first = await agent.told(tool, { ...order, wait_for: 'end' });
      expect(first).toMatchObject({ status: 'success' });
      expect(await agent.told(tool, order)).toMatchObject({ deployment_id: first['deployment_id'] });
      const refused = await agent.refused(tool, { ...order, idempotency_key: 'another' });
      return { id: first['deployment_id'], refused };
    };
    const deployed = await twice('deploy_app', { app_name, ...serving('one') });
    expect(deployed.refused).toMatchObject({
      code: 'plan_changed',
      next: { arguments: { idempotency_key: 'another', dry_run: true } },
    });
    await agent.told('deploy_app', { app_name, ...serving('two'), wait_for: 'end' });
    const back = await twice('deploy_rollback', { app_name });
    expect(back.refused).toMatchObject({ code: 'no_previous_release' });
    const history = await agent.told('deploy_history', { app_name });
    expect(history).toMatchObject({ total: 3, deployments: [{ deployment_id: back.id, rollback_to: 1 }, {}, {}] });
  });

  it('that loses its connection ends no deployment', async () => {
    const app_name = bench.app('dropped');
    const dropped = new AbortController();
    const call = agent.call(
      'deploy_app',
      { app_name, ...serving('still there'), wait_for: 'end' },
      { signal: dropped.signal, onprogress: () => dropped.abort() },
    );
    await expect(call).rejects.toThrow();
    const { deployments } = (await agent.told('deploy_history', { app_name })) as unknown as {
      deployments: { deployment_id: string }[];
    };
    expect(await bench.client.ended(deployments[0]!.deployment_id)).toMatchObject({ status: 'success' });
  });
});

describe('a plan', () => {
  it('is shown without doing it, and done only as long as it is the same', async () => {
    const order = { app_name: bench.app('planned'), ...serving('planned') };
    const planned = await agent.told('deploy_app', { ...order, dry_run: true });
    expect(planned).toMatchObject({ valid: true, plan: expect.any(Array), plan_hash: expect.any(String) });
    expect(await agent.refused('deploy_history', { app_name: order.app_name })).toMatchObject({
      code: 'app_not_found',
    });

    const { plan_hash: expected_plan_hash } = planned;
    expect(await agent.refused('deploy_app', { ...order, replicas: 2, expected_plan_hash })).toMatchObject({
      code: 'plan_changed',
      next: { tool: 'deploy_app', arguments: { dry_run: true, replicas: 2 } },
    });
    const done = await agent.told('deploy_app', { ...order, expected_plan_hash, wait_for: 'end' });
    expect(done).toMatchObject({ status: 'success' });
    const { deployment_id } = done;
    expect(await agent.told('deploy_status', { deployment_id, response_format: 'detailed' })).toMatchObject({
      actor: 'agent',
      agent: 'OPERATOR via test-agent/1.0.0',
    });
  });

  it('names what would stop it', async () => {
    const planned = await agent.told('deploy_validate', {
      app_name: bench.app('huge'),
      image: 'busybox:1',
      resources: { memory_reservation_mb: 16_777_216 },
    });
    expect(planned).toMatchObject({
      valid: false,
      issues: expect.arrayContaining([expect.objectContaining({ code: 'capacity_insufficient', stops: true })]),
    });
  });
});

describe('what a token may do', () => {
  const idle = (name: string) => ({
    app_name: bench.app(name),
    image: 'busybox:1',
    command: ['sleep', '1000'],
    port: 0,
  });
  const recorded = async (name: string) => {
    const path = `/api/v1/audit?actor=${name}`;
    const { body } = await bench.client.request<{ entries: Record<string, unknown>[] }>('GET', path);
    return body.entries;
  };

  it('is decided as at every other door, and each change and refusal is recorded once', async () => {
    const client = await connected({ name: 'narrow', agent: 'OPERATOR', max_replicas: 1 });
    const order = { ...idle('narrow'), replicas: 2 };
    expect(await client.refused('deploy_app', order)).toMatchObject({
      code: 'policy_denied',
      rule: 'max_replicas',
      hint: expect.any(String),
      next: { tool: 'deploy_validate', arguments: { replicas: 2 } },
    });
    expect(await client.refused('deploy_validate', order)).toMatchObject({ code: 'policy_denied' });
    expect(await client.refused('deploy_app', { ...order, dry_run: true })).toMatchObject({ code: 'policy_denied' });
    expect(await client.refused('deploy_app', { ...order, timeout_seconds: 'long' })).toMatchObject({
      code: 'invalid_field',
    });
    expect(await client.refused('deploy_rollback', { app_name: order.app_name })).toMatchObject({
      code: 'app_not_found',
    });
    await client.told('deploy_app', { ...order, replicas: 1, dry_run: true });
    const { deployment_id } = await client.told('deploy_app', { ...order, replicas: 0 });
    await client.told('deploy_status', { deployment_id: String(deployment_id) });
    await client.close();
    const actor = { name: 'narrow', agent: 'OPERATOR via test-agent/1.0.0' };
    const action = 'deployment.create';
    const target = order.app_name;
    const request_id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const records = await recorded('narrow');
    expect(records).toMatchObject([
      { actor, action, target, outcome: 'policy_denied', rule: expect.stringMatching(/^max_replicas: /), request_id },
      { actor, action: 'read', target, outcome: 'policy_denied', request_id },
      { actor, action: 'read', target, outcome: 'policy_denied', request_id },
      { actor, action, target, outcome: 'invalid_field', request_id },
      { actor, action: 'app.rollback', target: `${target}/production`, outcome: 'app_not_found', request_id },
      { actor, action, target: deployment_id, outcome: 'succeeded', request_id },
    ]);
    expect(new Set(records.map((record) => record['request_id'])).size).toBe(6);
  });

  it('may need a person first: the very same call is done after that', async () => {
    const client = await connected({ name: 'asking', agent: 'OPERATOR', approval: {} });
    const order = { ...idle('asking'), replicas: 0 };
    expect(await client.told('deploy_validate', order)).toMatchObject({ valid: true, requires_approval: true });
    const { approval_id, ...refused } = await client.refused('deploy_app', order);
    expect(refused).toMatchObject({ code: 'approval_required', rule: 'approval', next: { tool: 'deploy_app' } });
    await bench.client.request('POST', `/api/v1/approvals/${String(approval_id)}/approve`, {});
    expect(await client.told('deploy_app', order)).toMatchObject({ app_name: order.app_name });
    await client.close();
    expect((await recorded('asking')).at(-1)).toMatchObject({
      outcome: 'succeeded',
      rule: `approval: ${String(approval_id)}`,
    });
  });

  describe.each(ERAS)('may let the person at a client of %s approve', (era) => {
    const name = `elicit-${era.slice(0, 4)}`;
    const asked: string[] = [];
    const connectedTo = async (person: Person | undefined, approval: object = { by_elicitation: true }) =>
      McpClient.connect(bench.installation.server.url, await token({ name, agent: 'OPERATOR', approval }), era, {
        person: person && ((message) => (asked.push(message), person(message))),
        headers: { 'x-on-behalf-of': 'Ada' },
      });
    const yes: Person = () => ({ action: 'accept', content: { approve: true, reason: 'seen' } });
    const approvalOf = async (id: unknown) =>
      (await bench.client.request('GET', `/api/v1/approvals/${String(id)}`)).body;

    it('who says yes: the same call goes on, and the trail tells all of it', async () => {
      const client = await connectedTo(yes);
      const order = { ...idle(name), replicas: 0 };
      asked.length = 0;
      const { deployment_id } = await client.told('deploy_app', order);
      await client.close();
      expect(asked).toEqual([
        expect.stringContaining(`OPERATOR via test-agent/1.0.0 asks to deploy ${order.app_name}`),
      ]);
      expect(asked[0]).toContain('busybox:1');
      const [, approval_id] = /(apr-[0-9a-f]{16})/.exec(asked[0] ?? '') ?? [];
      expect(await approvalOf(approval_id)).toMatchObject({ status: 'used', reason: 'by elicitation: seen' });
      const actor = { name, agent: 'OPERATOR via test-agent/1.0.0', on_behalf_of: 'Ada' };
      expect(await recorded(name)).toMatchObject([
        { actor, action: 'deployment.create', outcome: 'approval_required' },
        { actor, action: 'approval.approve_by_elicitation', target: approval_id, outcome: 'succeeded' },
        { actor, target: deployment_id, outcome: 'succeeded', rule: `approval: ${approval_id}` },
      ]);
    });

    it.each<[string, ReturnType<Person>, string, string]>([
      ['no', { action: 'decline' }, 'approval_rejected', 'rejected'],
      ['yes to nothing', { action: 'accept', content: { approve: false } }, 'approval_rejected', 'rejected'],
      ['nothing', { action: 'cancel' }, 'approval_required', 'pending'],
    ])('who says %s: then it is not done', async (said, word, code, status) => {
      const client = await connectedTo(() => word);
      const refused = await client.refused('deploy_app', { ...idle(`${name}-no`), reason: said });
      await client.close();
      expect(refused).toMatchObject({ code, approval_id: expect.any(String) });
      expect(await approvalOf(refused['approval_id'])).toMatchObject({ status });
    });

    it('only where the token says so, and there is somebody to ask', async () => {
      asked.length = 0;
      for (const client of [await connectedTo(yes, {}), await connectedTo(undefined)]) {
        const refused = await client.refused('deploy_app', { ...idle(`${name}-no`), reason: 'ask' });
        expect(refused).toMatchObject({ code: 'approval_required', approval_id: expect.any(String) });
        await client.close();
      }
      expect(asked).toEqual([]);
    });
  });

  it('may end while its person thinks: then nobody approves anything with it', async () => {
    const order = { name: 'ended', scopes: ['read', 'deploy'], agent: 'OPERATOR', approval: { by_elicitation: true } };
    const { body } = await bench.client.request<{ id: string; token: string }>('POST', '/api/v1/tokens', order);
    const client = await McpClient.connect(bench.installation.server.url, body.token, '2025-11-25', {
      person: async () => {
        await bench.client.request('DELETE', `/api/v1/tokens/${body.id}`);
        return { action: 'accept', content: { approve: true } };
      },
    });
    // Its answer has no way in any more, so the call hears nothing of it.
    const gone = new AbortController();
    const call = client.call('deploy_app', { ...idle('ended'), replicas: 0 }, { signal: gone.signal });
    const [ended] = await Promise.allSettled([
      call,
      until(async () => (await recorded('anonymous')).some(({ action }) => action === 'mcp.call'), 'the refusal').then(
        () => gone.abort(),
      ),
    ]);
    expect(ended.status).toBe('rejected');
    await client.close().catch(() => undefined);
    expect(await recorded('ended')).toMatchObject([{ outcome: 'approval_required' }]);
  });

  it('is not talked into anything: no answer counts but that to our own question about this very call', async () => {
    const name = 'forging';
    const call = rawCalls(await token({ name, agent: 'OPERATOR', approval: { by_elicitation: true } }));
    const order = { ...idle(name), replicas: 0 };
    const approval = { action: 'accept', content: { approve: true } };
    const first = await call(order, { inputResponses: { approval } });
    expect(first.result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    const { requestState } = first.result as { requestState: string };

    const forged = `${requestState.slice(0, -4)}AAAA`;
    expect((await call(order, { inputResponses: { approval }, requestState: forged })).error).toMatchObject({
      code: -32602,
    });
    const changed = await call({ ...order, replicas: 1 }, { inputResponses: { approval }, requestState });
    expect(changed.result).toMatchObject({ structuredContent: { error: { code: 'approval_mismatch' } } });
    const stranger = rawCalls(await token({ name: 'thief', agent: 'OPERATOR', approval: { by_elicitation: true } }));
    expect((await stranger(order, { inputResponses: { approval }, requestState })).result).toMatchObject({
      structuredContent: { error: { code: 'approval_not_found' } },
    });
    expect(await agent.refused('deploy_history', { app_name: order.app_name })).toMatchObject({
      code: 'app_not_found',
    });
  });

  function rawCalls(bearer: string) {
    const meta = 'io.modelcontextprotocol';
    const _meta = {
      [`${meta}/protocolVersion`]: '2026-07-28',
      [`${meta}/clientCapabilities`]: { elicitation: {} },
      [`${meta}/clientInfo`]: { name: 'forger', version: '1' },
    };
    return async (order: object, answered: object) => {
      const response = await fetch(`${bench.installation.server.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bearer}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': 'deploy_app',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'deploy_app', arguments: order, _meta, ...answered },
        }),
      });
      return (await response.json()) as { result?: unknown; error?: unknown };
    };
  }
});

describe('credentials', () => {
  it('are asked for, with the address where that is described', async () => {
    const { url } = bench.installation.server;
    const refused = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(refused.status).toBe(401);
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? [];
    expect(await (await fetch(address)).json()).toMatchObject({
      resource: `${url}/mcp`,
      scopes_supported: expect.arrayContaining(['read', 'deploy', 'rollback']),
    });
  });

  it('without the scope of a tool are refused by its name', async () => {
    const { url } = bench.installation.server;
    const reader = await token({ name: 'looking', scopes: ['read'] });
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'deploy_app', arguments: { app_name: 'web' } },
    };
    const refused = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${reader}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(call),
    });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toMatch(/insufficient_scope.*scope="deploy".*resource_metadata/);
    // The answer is the SDK's own, so the record follows it.
    const record = await until(async () => {
      const { body } = await bench.client.request<{ entries: object[] }>('GET', '/api/v1/audit?actor=looking');
      return body.entries[0];
    }, 'the refusal is recorded');
    expect(record).toMatchObject({
      action: 'deployment.create',
      target: 'web',
      outcome: 'forbidden',
      request_id: refused.headers.get('x-request-id'),
    });
  });

  it('of other apps find nothing, as if nothing were there', async () => {
    const { deployment_id } = await agent.told('deploy_app', { app_name: bench.app('mine'), ...serving('mine') });
    const stranger = await connected({ apps: ['strangers-*'] });
    const answers = await Promise.all(
      [deployment_id, 'dep-unknown'].map(async (id) => [
        await stranger.refused('deploy_status', { deployment_id: id }),
        await stranger.refused('deploy_logs', { deployment_id: id }),
        await stranger.client
          .readResource({ uri: `flukedeploy://deployments/${String(id)}` })
          .catch((error: unknown) => (error as { code: number }).code),
      ]),
    );
    const shown = (answer: unknown, id: unknown) => JSON.stringify(answer).replaceAll(String(id), 'ID');
    expect(shown(answers[0], deployment_id)).toBe(shown(answers[1], 'dep-unknown'));
    for (const tool of ['deploy_logs', 'deploy_history', 'deploy_rollback', 'deploy_validate']) {
      expect(await stranger.refused(tool, { app_name: bench.app('mine') })).toMatchObject({ code: 'app_not_found' });
    }
    expect(await stranger.told('deploy_history', {})).toMatchObject({ deployments: [], total: 0 });
    await stranger.close();
  });

  it('do not help the page of another site', async () => {
    const { url } = bench.installation.server;
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...headers, origin: 'http://evil.example' },
      body: '{}',
    });
    expect(answer.status).toBe(403);
  });
});
