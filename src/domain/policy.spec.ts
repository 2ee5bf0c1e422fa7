import { describe, expect, it } from '@jest/globals';
import {
  ACTION_KINDS,
  APPROVABLE_KINDS,
  decide,
  mayElicitApproval,
  RULE_NAMES,
  SCOPES,
  type Action,
  type Principal,
  type RuleName,
} from './policy.js';

const OPERATOR: Principal = {
  actor: { kind: 'token', name: 'ops', agent: 'OPERATOR' },
  scopes: ['read', 'deploy', 'rollback'],
  token_id: 'aaaaaaaaaaaa',
};
const PERSON: Principal = { actor: { kind: 'token', name: 'ada' }, scopes: ['approve'], token_id: 'bbbbbbbbbbbb' };
const ADMIN: Principal = { actor: { kind: 'admin', name: 'admin' }, scopes: SCOPES };
const DEPLOY: Action = { kind: 'deploy', app_name: 'web', environment: 'staging', replicas: 2, strategy: 'rolling' };

const FROZEN = {
  at: '2026-02-03T10:00:00.000Z',
  by: { kind: 'admin', name: 'admin' },
  reason: 'odd deploys',
} as const;

interface Row {
  readonly rule: RuleName;
  readonly when: string;
  readonly principal: Principal;
  readonly action: Action;
  readonly wait_seconds?: number;
}

/** Each rule where it refuses, with what stands in the reason. */
const REFUSED: readonly (Row & { readonly says: string })[] = [
  {
    rule: 'agents_frozen',
    when: 'agents are frozen',
    principal: { ...OPERATOR, frozen: FROZEN },
    action: DEPLOY,
    says: 'odd deploys',
  },
  {
    rule: 'app',
    when: 'the app is of others',
    principal: { ...OPERATOR, apps: ['api', 'shop-*'] },
    action: DEPLOY,
    says: 'api, shop-*',
  },
  {
    rule: 'environment',
    when: 'the environment is another one',
    principal: { ...OPERATOR, limits: { environments: ['dev', 'preview-*'] } },
    action: DEPLOY,
    says: 'dev, preview-*',
  },
  {
    rule: 'environment',
    when: 'a deployment of another environment is to be cancelled',
    principal: { ...OPERATOR, limits: { environments: ['dev'] } },
    action: { kind: 'cancel', app_name: 'web', environment: 'production' },
    says: 'production',
  },
  {
    rule: 'strategy',
    when: 'the strategy is another one',
    principal: { ...OPERATOR, limits: { strategies: ['canary', 'blue_green'] } },
    action: DEPLOY,
    says: 'canary, blue_green',
  },
  {
    rule: 'max_replicas',
    when: 'there are more replicas than allowed',
    principal: { ...OPERATOR, limits: { max_replicas: 1 } },
    action: DEPLOY,
    says: '2 replicas',
  },
  {
    rule: 'people_approve',
    when: 'an agent approves',
    principal: { ...OPERATOR, scopes: ['approve'] },
    action: { kind: 'approve', app_name: 'web', environment: 'staging', asked_by: 'cccccccccccc' },
    says: 'agent',
  },
  {
    rule: 'others_approve',
    when: 'somebody approves what the same token has asked for',
    principal: PERSON,
    action: { kind: 'approve', app_name: 'web', environment: 'staging', asked_by: 'bbbbbbbbbbbb' },
    says: 'Nobody',
  },
  {
    rule: 'deploys_per_hour',
    when: 'the orders of the hour are used up',
    principal: { ...OPERATOR, limits: { deploys_per_hour: 3 } },
    action: DEPLOY,
    wait_seconds: 90,
    says: '90 s',
  },
  {
    rule: 'approval',
    when: 'a person must approve',
    principal: { ...OPERATOR, limits: { approval: {} } },
    action: DEPLOY,
    says: 'A person must approve',
  },
  {
    rule: 'default_deny',
    when: 'no scope covers it',
    principal: OPERATOR,
    action: { ...DEPLOY, kind: 'config' },
    says: 'apps:write',
  },
];

/** The same rules where they have nothing to say. */
const ALLOWED: readonly Row[] = [
  { rule: 'agents_frozen', when: 'agents are not frozen', principal: OPERATOR, action: DEPLOY },
  { rule: 'app', when: 'a pattern covers the app', principal: { ...OPERATOR, apps: ['api', 'w*'] }, action: DEPLOY },
  {
    rule: 'environment',
    when: 'a pattern covers the environment',
    principal: { ...OPERATOR, limits: { environments: ['stag*'] } },
    action: DEPLOY,
  },
  {
    rule: 'strategy',
    when: 'the strategy is one of them',
    principal: { ...OPERATOR, limits: { strategies: ['rolling'] } },
    action: DEPLOY,
  },
  {
    rule: 'strategy',
    when: 'no strategy is used',
    principal: { ...OPERATOR, limits: { strategies: ['canary'] } },
    action: { kind: 'scale', app_name: 'web', environment: 'staging', replicas: 1 },
  },
  {
    rule: 'max_replicas',
    when: 'there are exactly as many as allowed',
    principal: { ...OPERATOR, limits: { max_replicas: 2 } },
    action: DEPLOY,
  },
  {
    rule: 'max_replicas',
    when: 'the number stays as it is',
    principal: { ...OPERATOR, limits: { max_replicas: 0 } },
    action: { kind: 'restart', app_name: 'web', environment: 'staging' },
  },
  {
    rule: 'people_approve',
    when: 'a person approves what another token has asked for',
    principal: PERSON,
    action: { kind: 'approve', app_name: 'web', environment: 'staging', asked_by: 'aaaaaaaaaaaa' },
  },
  {
    rule: 'others_approve',
    when: 'the administrator approves',
    principal: ADMIN,
    action: { kind: 'approve', app_name: 'web', environment: 'staging', asked_by: 'aaaaaaaaaaaa' },
  },
  {
    rule: 'deploys_per_hour',
    when: 'one more fits into the hour',
    principal: { ...OPERATOR, limits: { deploys_per_hour: 3 } },
    action: DEPLOY,
    wait_seconds: 0,
  },
  {
    rule: 'deploys_per_hour',
    when: 'something is stopped, and no order given',
    principal: { ...OPERATOR, limits: { deploys_per_hour: 1 } },
    action: { kind: 'abort', app_name: 'web', environment: 'staging' },
    wait_seconds: 90,
  },
  {
    rule: 'approval',
    when: 'it is asked for elsewhere',
    principal: { ...OPERATOR, limits: { approval: { environments: ['prod*'] } } },
    action: DEPLOY,
  },
  {
    rule: 'approval',
    when: 'it is asked for of another app',
    principal: { ...OPERATOR, limits: { approval: { apps: ['api'] } } },
    action: DEPLOY,
  },
  {
    rule: 'approval',
    when: 'it is asked for of another kind',
    principal: { ...OPERATOR, limits: { approval: { kinds: ['rollback'] } } },
    action: DEPLOY,
  },
];

describe('a rule refuses', () => {
  it.each(REFUSED)('$rule: when $when', ({ rule, principal, action, wait_seconds = 0, says }) => {
    const decision = decide(principal, action, { wait_seconds });
    expect(decision).toEqual({
      allowed: false,
      rule,
      reason: expect.stringContaining(says),
      ...(rule === 'approval' && { needs_approval: true }),
    });
  });

  it('of every name', () => {
    const names = new Set(REFUSED.map(({ rule }) => rule));
    expect(RULE_NAMES.filter((name) => !names.has(name))).toEqual(['scope']);
  });
});

describe('a rule lets pass', () => {
  it.each(ALLOWED)('$rule: when $when', ({ principal, action, wait_seconds = 0 }) => {
    expect(decide(principal, action, { wait_seconds })).toMatchObject({ allowed: true, rule: 'scope' });
  });
});

describe('without a scope', () => {
  it.each(ACTION_KINDS)('%s is refused, whatever else is allowed', (kind) => {
    const nobody = { ...PERSON, scopes: ['read'], limits: { approval: {}, deploys_per_hour: 1 } };
    const decision = decide(nobody, { ...DEPLOY, kind }, { wait_seconds: 5 });
    expect(decision).toMatchObject({ allowed: false, rule: 'default_deny' });
    expect(decision).not.toHaveProperty('needs_approval');
  });

  it.each(ACTION_KINDS)('the administrator may %s', (kind) => {
    expect(decide(ADMIN, { ...DEPLOY, kind })).toMatchObject({ allowed: true });
  });
});

describe('approval', () => {
  const asking: Principal = { ...OPERATOR, scopes: SCOPES, limits: { approval: {} } };

  it.each(ACTION_KINDS.filter((kind) => kind !== 'approve'))(
    '%s waits for people unless it stops something',
    (kind) => {
      const needs = (APPROVABLE_KINDS as readonly string[]).includes(kind);
      expect(decide(asking, { ...DEPLOY, kind }).needs_approval ?? false).toBe(needs);
      expect(['cancel', 'pause', 'abort'].includes(kind)).toBe(!needs);
    },
  );

  it('is not asked for what is refused anyway', () => {
    const limits = { approval: {}, max_replicas: 1 };
    expect(decide({ ...OPERATOR, limits }, DEPLOY)).toMatchObject({ rule: 'max_replicas' });
  });
});

describe('the first rule that applies decides', () => {
  it('and a freeze comes before everything', () => {
    const principal = { ...OPERATOR, frozen: FROZEN, apps: ['api'], limits: { environments: ['dev'] } };
    expect(decide(principal, DEPLOY).rule).toBe('agents_frozen');
    const { frozen: _, ...thawed } = principal;
    expect(decide(thawed, DEPLOY).rule).toBe('app');
  });
});

it('approval by elicitation is allowed where the token says so only, and takes nothing away from what needs approval', () => {
  const asking = (approval: object): Principal => ({ ...OPERATOR, limits: { approval } });
  expect([OPERATOR, ADMIN, asking({}), asking({ by_elicitation: false })].filter(mayElicitApproval)).toEqual([]);
  expect(mayElicitApproval(asking({ by_elicitation: true }))).toBe(true);
  expect(decide(asking({ by_elicitation: true }), DEPLOY)).toMatchObject({ rule: 'approval', needs_approval: true });
});
