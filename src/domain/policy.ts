/** What credentials may do, as a list of rules of which the first that applies decides. What no rule allows is refused. */
import { matchesPattern } from './app-pattern.js';
import { DEPLOYMENT_KINDS, type Actor } from './facts.js';
import type { StrategyType } from './strategy.js';

/** `admin` includes all others. */
export const SCOPES = ['read', 'deploy', 'rollback', 'apps:write', 'approve', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Orders first, then what is said to a rollout, then the rest. */
export const ACTION_KINDS = [
  ...DEPLOYMENT_KINDS,
  'promote',
  'resume',
  'pause',
  'abort',
  'cancel',
  'remove',
  'approve',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

const SCOPE_OF: Readonly<Record<ActionKind, Scope>> = {
  deploy: 'deploy',
  rollback: 'rollback',
  config: 'apps:write',
  scale: 'deploy',
  restart: 'deploy',
  promote: 'deploy',
  resume: 'deploy',
  pause: 'deploy',
  abort: 'deploy',
  cancel: 'deploy',
  remove: 'apps:write',
  approve: 'approve',
};

/** What people can be asked to approve first. What stops something never waits for them. */
export const APPROVABLE_KINDS = [...DEPLOYMENT_KINDS, 'promote', 'resume', 'remove'] as const;
export type ApprovableKind = (typeof APPROVABLE_KINDS)[number];

/** Where a person's approval is needed: what is left out stands for all. */
export interface ApprovalRule {
  /** Names or patterns. */
  readonly environments?: readonly string[];
  /** Names or patterns. */
  readonly apps?: readonly string[];
  readonly kinds?: readonly ApprovableKind[];
  /** The word of whoever sits at the agent's client counts: what that client says is believed. Left out: it does not. */
  readonly by_elicitation?: boolean;
}

/** What narrows a token down beside its scopes and apps; what is left out is not limited. */
export interface TokenLimits {
  /** Names or patterns of the only environments it may change. */
  readonly environments?: readonly string[];
  /** The most replicas that it may ask for. */
  readonly max_replicas?: number;
  readonly strategies?: readonly StrategyType[];
  /** Orders of any kind within any sixty minutes. */
  readonly deploys_per_hour?: number;
  readonly approval?: ApprovalRule;
}

/** All agents are stopped from changing anything. */
export interface Freeze {
  readonly at: string;
  readonly by: Actor;
  readonly reason: string;
}

export interface Principal {
  readonly actor: Actor;
  readonly scopes: readonly string[];
  /** App names or patterns with `*`; absent = all. */
  readonly apps?: readonly string[];
  /** Of the API token; a session has none. */
  readonly token_id?: string;
  readonly limits?: TokenLimits;
  /** Set where the principal is an agent and agents are frozen. */
  readonly frozen?: Freeze;
  /** Id of the approval that the request brings along. */
  readonly approval_id?: string;
}

export interface Action {
  readonly kind: ActionKind;
  readonly app_name: string;
  readonly environment: string;
  /** Where the action asks for a number. */
  readonly replicas?: number;
  /** The one that will be used, whether it is asked for or is the app's own. */
  readonly strategy?: StrategyType;
  /** `approve`: the token that asked for what is approved. */
  readonly asked_by?: string;
}

/** How much of its orders per hour the token has used up. */
export interface HourlyUse {
  /** Seconds until the next order fits in; 0 = now. */
  readonly wait_seconds: number;
}

export interface PolicyDecision {
  readonly allowed: boolean;
  readonly rule: RuleName;
  /** In plain words. */
  readonly reason: string;
  /** It is allowed as soon as a person approves. */
  readonly needs_approval?: true;
}

interface Asked {
  readonly principal: Principal;
  readonly limits: TokenLimits;
  readonly action: Action;
  readonly use: HourlyUse;
}
/** Why the rule applies, in plain words. */
type Reason = (asked: Asked) => string | false | undefined;
type Effect = 'allow' | 'ask' | 'refuse';

const within = (name: string, patterns: readonly string[] | undefined): boolean =>
  patterns?.some((pattern) => matchesPattern(name, pattern)) ?? true;
const isOneOf = <Value>(values: readonly Value[], value: unknown): value is Value => values.includes(value as Value);
const granted = ({ principal, action }: Asked): boolean => principal.scopes.includes(SCOPE_OF[action.kind]);

export function isOrder({ kind }: Pick<Action, 'kind'>): boolean {
  return isOneOf(DEPLOYMENT_KINDS, kind);
}

/** Whether the agent's client may ask its own person for the approval; else people give it by the API only. */
export function mayElicitApproval({ limits }: Principal): boolean {
  return limits?.approval?.by_elicitation === true;
}

function asksForApproval({ limits: { approval }, action: { kind, app_name, environment } }: Asked): boolean {
  return (
    approval !== undefined &&
    isOneOf(approval.kinds ?? APPROVABLE_KINDS, kind) &&
    within(environment, approval.environments) &&
    within(app_name, approval.apps)
  );
}

/** An action that is not granted at all falls through to the end: it is neither counted nor worth asking anybody for. */
const RULES = [
  [
    'agents_frozen',
    'refuse',
    ({ principal: { frozen } }) => frozen && `All agents are frozen since ${frozen.at}: ${frozen.reason}`,
  ],
  [
    'app',
    'refuse',
    ({ principal: { apps }, action: { app_name } }) =>
      !within(app_name, apps) && `${app_name} is none of the apps of this token: ${apps?.join(', ')}.`,
  ],
  [
    'environment',
    'refuse',
    ({ limits: { environments }, action: { environment } }) =>
      !within(environment, environments) &&
      `${environment} is none of the environments of this token: ${environments?.join(', ')}.`,
  ],
  [
    'strategy',
    'refuse',
    ({ limits: { strategies }, action: { strategy } }) =>
      strategies !== undefined &&
      strategy !== undefined &&
      !strategies.includes(strategy) &&
      `${strategy} is none of the strategies of this token: ${strategies.join(', ')}.`,
  ],
  [
    'max_replicas',
    'refuse',
    ({ limits: { max_replicas }, action: { replicas } }) =>
      max_replicas !== undefined &&
      replicas !== undefined &&
      replicas > max_replicas &&
      `${replicas} replicas are more than the ${max_replicas} that this token may ask for.`,
  ],
  [
    'people_approve',
    'refuse',
    ({ principal: { actor }, action: { kind } }) =>
      kind === 'approve' && actor.agent !== undefined && 'An agent cannot approve anything.',
  ],
  [
    'others_approve',
    'refuse',
    ({ principal: { token_id }, action: { kind, asked_by } }) =>
      kind === 'approve' && token_id !== undefined && token_id === asked_by && 'Nobody approves what they asked for.',
  ],
  [
    'deploys_per_hour',
    'refuse',
    (asked) =>
      granted(asked) &&
      isOrder(asked.action) &&
      asked.use.wait_seconds > 0 &&
      `This token may give ${asked.limits.deploys_per_hour} orders an hour; the next one in ${asked.use.wait_seconds} s.`,
  ],
  [
    'approval',
    'ask',
    (asked) =>
      granted(asked) &&
      asksForApproval(asked) &&
      `A person must approve ${asked.action.kind} of ${asked.action.app_name} in ${asked.action.environment} first.`,
  ],
  [
    'scope',
    'allow',
    (asked) => granted(asked) && `The scope ${SCOPE_OF[asked.action.kind]} allows it, within the limits of the token.`,
  ],
] as const satisfies readonly (readonly [string, Effect, Reason])[];

export type RuleName = (typeof RULES)[number][0] | 'default_deny';
export const RULE_NAMES: readonly RuleName[] = [...RULES.map(([name]) => name), 'default_deny'];

export function decide(principal: Principal, action: Action, use: HourlyUse = { wait_seconds: 0 }): PolicyDecision {
  const asked: Asked = { principal, limits: principal.limits ?? {}, action, use };
  for (const [rule, effect, applies] of RULES) {
    const reason = (applies as Reason)(asked);
    if (!reason) continue;
    return { allowed: effect === 'allow', rule, reason, ...(effect === 'ask' && { needs_approval: true }) };
  }
  const scope = SCOPE_OF[action.kind];
  const held = principal.scopes.join(', ') || 'none';
  return {
    allowed: false,
    rule: 'default_deny',
    reason: `No rule allows it: it needs the scope ${scope}, not ${held}.`,
  };
}
