import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { orderOf } from '../../../test/support/deployment-order.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { LIMITS } from '../../domain/limits.js';
import type { ApprovalRequest, Permit } from '../../domain/ports.js';
import { Database } from './database.js';
import { PostgresAgentStore } from './postgres-agent-store.js';
import { PostgresCredentialStore } from './postgres-credential-store.js';
import { PostgresDeploymentStore } from './postgres-deployment-store.js';
import { PostgresPolicyStore } from './postgres-policy-store.js';

jest.setTimeout(60_000);

const TOKEN = 'aaaaaaaaaaaa';
const ADA = { kind: 'admin', name: 'admin' } as const;
const AGENT = { kind: 'token', name: 'ops', agent: 'OPERATOR' } as const;
const REQUEST: ApprovalRequest = {
  token_id: TOKEN,
  actor: AGENT,
  action: { kind: 'deploy', app_name: 'web', environment: 'production' },
  plan_hash: 'hash 1',
  summary: 'image web:2',
};
const FREEZE = { at: '2026-02-03T10:00:00.000Z', by: ADA, reason: 'odd deploys' };

let postgres: TestDatabase;
/** What another process has. */
let other: Database;
let policy: PostgresPolicyStore;
let agents: PostgresAgentStore;
let credentials: PostgresCredentialStore;
let deployments: PostgresDeploymentStore;
beforeAll(async () => {
  postgres = await startTestDatabase();
  other = new Database(postgres.database.url);
  policy = new PostgresPolicyStore(postgres.database);
  agents = new PostgresAgentStore(postgres.database);
  credentials = new PostgresCredentialStore(postgres.database);
  deployments = storeOf(postgres.database);
});
afterAll(async () => {
  await other.close();
  await postgres.stop();
});
beforeEach(() => postgres.database.query('truncate approvals, token_orders, agent_freeze, tokens'));

const storeOf = (database: Database) => new PostgresDeploymentStore(database, { instance: 'test', retention_days: 1 });
const permit = (fields: Partial<Permit> = {}): Permit => ({ token_id: TOKEN, is_agent: true, ...fields });
const order = (fields: Partial<Permit> = {}, store = deployments) =>
  store.accept({ ...orderOf({ actor: AGENT }), permit: permit(fields) });
const approved = async () => {
  const { id } = await policy.ask(REQUEST);
  await policy.decide(id, 'approved', ADA, undefined);
  return id;
};
const expire = (id: string) =>
  postgres.database.query(`update approvals set expires_at = clock_timestamp() where id = $1`, [id]);
const outcomes = async (attempts: Promise<unknown>[]) =>
  (await Promise.allSettled(attempts)).map((each) =>
    each.status === 'fulfilled' ? 'done' : (each.reason as { code: string }).code,
  );

describe('asking for approval', () => {
  it('twice for the same plan is one approval, also at the same moment', async () => {
    const asked = await Promise.all(Array.from({ length: 5 }, () => policy.ask(REQUEST)));
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect(asked[0]).toMatchObject({ ...REQUEST, status: 'pending' });
    expect(await policy.list({})).toHaveLength(1);
  });

  it('for another plan, or by another token, is another approval', async () => {
    const ids = [
      await policy.ask(REQUEST),
      await policy.ask({ ...REQUEST, plan_hash: 'hash 2' }),
      await policy.ask({ ...REQUEST, token_id: 'bbbbbbbbbbbb' }),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  it('again after it was used or has expired is a new approval, and after a rejection is not', async () => {
    const used = await approved();
    await policy.use(used);
    const second = await policy.ask(REQUEST);
    expect(second).toMatchObject({ status: 'pending' });
    await expire(second.id);
    const third = await policy.ask(REQUEST);
    await policy.decide(third.id, 'rejected', ADA, 'not today');
    expect(await policy.ask(REQUEST)).toMatchObject({ id: third.id, status: 'rejected', reason: 'not today' });
    expect((await policy.list({})).map(({ status }) => status)).toEqual(['rejected', 'expired', 'used']);
  });

  it('has an end', async () => {
    const plans = Array.from({ length: LIMITS.pending_approvals }, (_, index) => `plan ${index}`);
    for (const plan_hash of plans) await policy.ask({ ...REQUEST, plan_hash });
    await expect(policy.ask(REQUEST)).rejects.toMatchObject({ code: 'too_many_requests' });
    expect(await policy.ask({ ...REQUEST, plan_hash: 'plan 0' })).toMatchObject({ status: 'pending' });
  });
});

describe('approvals', () => {
  it('are decided once', async () => {
    const { id } = await policy.ask(REQUEST);
    const verdicts = (['approved', 'rejected'] as const).map((verdict) => policy.decide(id, verdict, ADA, undefined));
    expect((await outcomes(verdicts)).sort()).toEqual(['approval_decided', 'done']);
  });

  it('cannot be decided when they have expired, or never were', async () => {
    const { id } = await policy.ask(REQUEST);
    await expire(id);
    await expect(policy.decide(id, 'approved', ADA, undefined)).rejects.toMatchObject({ code: 'approval_expired' });
    await expect(policy.decide('apr-0', 'approved', ADA, undefined)).rejects.toMatchObject({
      code: 'approval_not_found',
    });
  });

  it('are forgotten long after their end', async () => {
    const { id } = await policy.ask(REQUEST);
    const age = `${LIMITS.approval_days + 1} days`;
    await postgres.database.query(`update approvals set expires_at = clock_timestamp() - $1::interval`, [age]);
    await policy.ask({ ...REQUEST, plan_hash: 'hash 2' });
    expect(await policy.find(id)).toBeUndefined();
  });

  it('are listed by status, token and app', async () => {
    const { id } = await policy.ask(REQUEST);
    expect(await policy.list({ status: 'pending', token_id: TOKEN, apps: ['w*'] })).toMatchObject([{ id }]);
    for (const filter of [{ status: 'used' }, { token_id: 'other' }, { apps: ['api'] }] as const) {
      expect(await policy.list(filter)).toEqual([]);
    }
  });

  it('accept one order, of two at the same moment in two processes', async () => {
    const approval_id = await approved();
    const attempts = [order({ approval_id }), order({ approval_id }, storeOf(other))];
    expect((await outcomes(attempts)).sort()).toEqual(['approval_used', 'done']);
    expect(await policy.find(approval_id)).toMatchObject({ status: 'used', used_at: expect.any(String) });
  });

  it('that are not approved, or no longer, accept no order and leave no trace of it', async () => {
    const { id: pending } = await policy.ask(REQUEST);
    await expect(order({ approval_id: pending })).rejects.toMatchObject({ code: 'approval_required' });
    const late = await approved();
    await expire(late);
    await expect(order({ approval_id: late })).rejects.toMatchObject({ code: 'approval_expired' });
    await expect(order({ approval_id: 'apr-0' })).rejects.toMatchObject({ code: 'approval_not_found' });
    expect(await postgres.database.query('select 1 from token_orders')).toEqual([]);
  });

  it('are given back when the order is refused for another reason', async () => {
    const approval_id = await approved();
    await order();
    const busy = { ...orderOf({ actor: AGENT, on_conflict: 'reject' }), permit: permit({ approval_id }) };
    await expect(deployments.accept(busy)).rejects.toMatchObject({ code: 'deployment_in_progress' });
    expect(await policy.find(approval_id)).toMatchObject({ status: 'approved' });
  });
});

describe('orders per hour', () => {
  it('are counted across processes, also at the same moment', async () => {
    const attempts = Array.from({ length: 6 }, (_, index) =>
      order({ deploys_per_hour: 3 }, index % 2 ? deployments : storeOf(other)),
    );
    const ended = await outcomes(attempts);
    expect(ended.filter((outcome) => outcome === 'done')).toHaveLength(3);
    expect(new Set(ended)).toEqual(new Set(['done', 'rate_limited_by_policy']));
  });

  it('say when the next one fits in, and let it pass then', async () => {
    for (let made = 0; made < 2; made++) await order({ deploys_per_hour: 2 });
    await postgres.database.query(`update token_orders set at = clock_timestamp() - interval '59 minutes'`);
    expect(await policy.waitSeconds(TOKEN, 2)).toBe(60);
    await expect(order({ deploys_per_hour: 2 })).rejects.toMatchObject({
      code: 'rate_limited_by_policy',
      retryAfterSeconds: expect.any(Number),
    });
    await postgres.database.query(`update token_orders set at = clock_timestamp() - interval '61 minutes'`);
    expect(await policy.waitSeconds(TOKEN, 2)).toBe(0);
    await order({ deploys_per_hour: 2 });
  });

  it('of another token do not count', async () => {
    await order({ token_id: 'bbbbbbbbbbbb' });
    expect(await policy.waitSeconds(TOKEN, 1)).toBe(0);
  });
});

describe('the freeze', () => {
  const token = { id: TOKEN, name: 'ops', scopes: ['deploy'], created_at: FREEZE.at };

  it('comes with the token of an agent, and with no other', async () => {
    await credentials.addToken({ ...token, agent: 'OPERATOR' }, 'agent');
    await credentials.addToken({ ...token, id: 'bbbbbbbbbbbb' }, 'person');
    expect(await credentials.findToken('agent')).not.toHaveProperty('frozen');
    await agents.freeze(FREEZE);
    expect(await credentials.findToken('agent')).toMatchObject({ frozen: FREEZE });
    expect(await credentials.findToken('person')).not.toHaveProperty('frozen');
    expect(await agents.unfreeze()).toBe(true);
    expect(await agents.unfreeze()).toBe(false);
    expect(await credentials.findToken('agent')).not.toHaveProperty('frozen');
  });

  it('keeps its first reason', async () => {
    await agents.freeze(FREEZE);
    expect(await agents.freeze({ ...FREEZE, reason: 'another' })).toEqual(FREEZE);
    expect(await agents.frozen()).toEqual(FREEZE);
  });

  it('refuses orders of agents that were let through before it, and lets others pass', async () => {
    await agents.freeze(FREEZE);
    await expect(order()).rejects.toMatchObject({ code: 'agents_frozen', message: FREEZE.reason });
    await expect(order({ is_agent: false })).resolves.toMatchObject({ replayed: false });
  });

  it('counts for an agent that acts with the session of a person too', async () => {
    const ofSession = () => deployments.accept({ ...orderOf({ actor: AGENT }), permit: { is_agent: true } });
    await expect(ofSession()).resolves.toMatchObject({ replayed: false });
    await agents.freeze(FREEZE);
    await expect(ofSession()).rejects.toMatchObject({ code: 'agents_frozen' });
  });

  it('leaves no order behind it that it does not see: each was accepted before, or is refused', async () => {
    const attempts = Array.from({ length: 10 }, (_, index) => order({}, index % 2 ? deployments : storeOf(other)));
    // Some are refused before the freeze has returned.
    const ended = Promise.allSettled(attempts);
    await agents.freeze(FREEZE);
    const seen = await agents.unfinished();
    const accepted = (await ended).flatMap((each) => (each.status === 'fulfilled' ? [each.value.record.id] : []));
    expect(seen).toEqual(expect.arrayContaining(accepted));
  });
});

it('agents are listed with the tokens that still work and what they deploy', async () => {
  const token = { id: TOKEN, name: 'ops', scopes: ['deploy'], created_at: FREEZE.at, agent: 'robot' };
  await credentials.addToken(token, 'one');
  await credentials.addToken({ ...token, id: 'bbbbbbbbbbbb', expires_at: FREEZE.at }, 'expired');
  await credentials.addToken({ ...token, id: 'cccccccccccc' }, 'revoked');
  await credentials.revokeToken('cccccccccccc');
  await credentials.findToken('one');
  await order();
  expect(await agents.list()).toEqual([
    {
      agent: 'robot',
      tokens: [{ id: TOKEN, name: 'ops', last_used_at: expect.any(String) }],
      last_used_at: expect.any(String),
      deployments_24h: 1,
    },
  ]);
});

it('limits of a token come back as they were added', async () => {
  const limits = {
    environments: ['staging'],
    max_replicas: 0,
    strategies: ['rolling'],
    deploys_per_hour: 5,
    approval: { environments: ['prod*'], kinds: ['deploy'] },
  } as const;
  const token = { id: TOKEN, name: 'ops', scopes: ['deploy'], created_at: FREEZE.at, ...limits };
  await credentials.addToken(token, 'hash');
  expect(await credentials.findToken('hash')).toEqual({ token });
  expect(await credentials.tokenOf(TOKEN)).toMatchObject(limits);
});
