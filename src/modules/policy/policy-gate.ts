/** The one place where it is decided whether somebody may do something, whichever door they came through. */
import { Injectable } from '@nestjs/common';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import { decide, isOrder, type Action, type PolicyDecision } from '../../domain/policy.js';
import {
  AppStore,
  PolicyStore,
  Secrets,
  type Approval,
  type ApprovalStatus,
  type Permit,
  type Principal,
} from '../../domain/ports.js';
import { DEFAULT_STRATEGIES } from '../../domain/strategy.js';
import { planHash } from './plan-hash.js';

/** What exactly is to be done: approval of one plan is none of another. */
export interface Plan {
  readonly plan_hash: string;
  /** In words, for the person who approves it. */
  readonly summary: string;
}

/** What stands in the way of an order whose approval is not `approved`; a used or expired one is not found by its plan any more. */
const UNAPPROVED: Readonly<Record<Exclude<ApprovalStatus, 'approved'>, ErrorCode>> = {
  pending: 'approval_required',
  rejected: 'approval_rejected',
  used: 'approval_used',
  expired: 'approval_expired',
};

@Injectable()
export class PolicyGate {
  constructor(
    private readonly store: PolicyStore,
    private readonly apps: AppStore,
    private readonly secrets: Secrets,
  ) {}

  /** The decision, and nothing else: nothing is done, asked for or used up. */
  async explain(principal: Principal, asked: Action): Promise<PolicyDecision> {
    const action = await this.#completed(principal, asked);
    return decide(principal, action, { wait_seconds: await this.#waitSeconds(principal, action) });
  }

  /**
   * Whether a person must approve it first, whatever is left of the hour and whether agents are frozen now. Nothing is asked for or
   * used up.
   * @throws DeployError `policy_denied`
   */
  async requiresApproval({ frozen: _, ...principal }: Principal, asked: Action): Promise<boolean> {
    const action = await this.#completed(principal, asked);
    const decision = decide(principal, action);
    if (!decision.allowed && !decision.needs_approval) throw refusal(action, decision);
    return decision.needs_approval === true;
  }

  /**
   * Lets an order pass, with what its acceptance has to settle; undefined for a person's session.
   * @throws DeployError `policy_denied`, `agents_frozen`, `rate_limited_by_policy`, `approval_*`
   */
  async admit(principal: Principal, asked: Action, plan: Plan): Promise<Permit | undefined> {
    const action = await this.#completed(principal, asked);
    const wait_seconds = await this.#waitSeconds(principal, action);
    const decision = decide(principal, action, { wait_seconds });
    if (!decision.allowed && !decision.needs_approval) throw refusal(action, decision, wait_seconds);

    const approval = decision.needs_approval && (await this.#approved(principal, action, plan, decision));
    const { token_id, limits, actor } = principal;
    const is_agent = actor.agent !== undefined;
    if (token_id === undefined && !is_agent) return undefined;
    return {
      is_agent,
      ...(token_id !== undefined && { token_id }),
      ...(limits?.deploys_per_hour !== undefined && { deploys_per_hour: limits.deploys_per_hour }),
      ...(approval && { approval_id: approval.id }),
    };
  }

  /** The same for what is no order: its approval is used up before it is done. */
  async admitNow(principal: Principal, action: Action, plan: Plan): Promise<void> {
    const permit = await this.admit(principal, action, plan);
    if (permit?.approval_id !== undefined) await this.store.use(permit.approval_id);
  }

  /** A deployment that names no strategy uses its app's; what only changes the number of replicas uses none. */
  async #completed({ limits }: Principal, action: Action): Promise<Action> {
    const isJudged = limits?.strategies !== undefined && isOrder(action) && action.kind !== 'scale';
    if (!isJudged || action.strategy !== undefined) return action;
    const app = await this.apps.find(action);
    return { ...action, strategy: app?.config?.strategy.type ?? DEFAULT_STRATEGIES.rolling.type };
  }

  async #waitSeconds({ token_id, limits }: Principal, action: Action): Promise<number> {
    const deploys = limits?.deploys_per_hour;
    if (token_id === undefined || deploys === undefined || !isOrder(action)) return 0;
    return this.store.waitSeconds(token_id, deploys);
  }

  /** The approval that a person has given to exactly this. @throws DeployError `approval_*` */
  async #approved(
    principal: Principal,
    action: Action,
    plan: Plan,
    { rule, reason }: PolicyDecision,
  ): Promise<Approval> {
    const approval = await this.#approvalOf(principal, action, plan);
    if (approval.status === 'approved') return approval;
    const code = UNAPPROVED[approval.status];
    const said = approval.reason === undefined ? undefined : `A person has rejected this: ${approval.reason}`;
    const message = approval.status === 'pending' ? reason : said;
    const { id: approval_id, expires_at } = approval;
    throw new DeployError(code, message, { policy: { rule, approval_id, expires_at } });
  }

  async #approvalOf(principal: Principal, action: Action, asked: Plan): Promise<Approval> {
    const { actor, token_id, approval_id } = principal;
    if (token_id === undefined) throw new Error('only tokens have a policy that asks for approval');
    const plan = { ...asked, plan_hash: await this.#hashOnTop(asked, action) };
    if (approval_id === undefined) return this.store.ask({ token_id, actor, action, ...plan });
    const named = await this.store.find(approval_id);
    // One of another token is not there, as far as this one can tell.
    if (named?.token_id !== token_id) throw new DeployError('approval_not_found');
    const isOpen = named.status === 'pending' || named.status === 'approved';
    if (isOpen && named.plan_hash !== plan.plan_hash)
      throw new DeployError('approval_mismatch', undefined, { policy: { approval_id } });
    return named;
  }

  /**
   * What a request leaves out is as the app has it, so what a person has seen is the request on top of that, and of nothing later. A
   * deployment and a rollback say themselves what shall run.
   */
  async #hashOnTop({ plan_hash }: Plan, action: Action): Promise<string> {
    const app = await this.apps.find(action);
    const saysWhat = action.kind === 'deploy' || action.kind === 'rollback';
    return planHash(this.secrets, [plan_hash, app?.config, !saysWhat && app?.live_deployment]);
  }
}

function refusal(action: Action, { rule, reason }: PolicyDecision, retryAfterSeconds = 0): DeployError {
  if (rule === 'deploys_per_hour')
    return new DeployError('rate_limited_by_policy', reason, { retryAfterSeconds, policy: { rule } });
  // Foreign apps are not there, as far as the principal can tell.
  const isOfApp = isOrder(action) || action.kind === 'remove';
  if (rule === 'app') return new DeployError(isOfApp ? 'app_not_found' : 'deployment_not_found');
  return new DeployError(rule === 'agents_frozen' ? rule : 'policy_denied', reason, { policy: { rule } });
}
