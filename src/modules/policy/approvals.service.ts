/** Approvals as people see them: what waits, what was decided, and deciding. */
import { Injectable } from '@nestjs/common';
import { matchesPattern } from '../../domain/app-pattern.js';
import { DeployError } from '../../domain/errors.js';
import { decide, mayElicitApproval } from '../../domain/policy.js';
import { PolicyStore, type Approval, type ApprovalStatus, type Principal, type Verdict } from '../../domain/ports.js';

@Injectable()
export class ApprovalsService {
  constructor(private readonly store: PolicyStore) {}

  /** Of all tokens for who may approve, else those that the caller has asked for. */
  list(principal: Principal, status: ApprovalStatus | undefined): Promise<Approval[]> {
    const { apps, token_id = '' } = principal;
    return this.store.list({
      ...(status && { status }),
      ...(apps && { apps }),
      ...(!mayApprove(principal) && { token_id }),
    });
  }

  /** @throws DeployError `approval_not_found` */
  async find(id: string, principal: Principal): Promise<Approval> {
    const approval = await this.store.find(id);
    if (approval === undefined || !isVisible(approval, principal)) throw new DeployError('approval_not_found');
    return approval;
  }

  /** @throws DeployError `approval_not_found`, `approval_decided`, `approval_expired`, `policy_denied` */
  async decide(id: string, principal: Principal, verdict: Verdict, reason: string | undefined): Promise<Approval> {
    const { action, token_id } = await this.find(id, principal);
    const { app_name, environment } = action;
    const {
      allowed,
      rule,
      reason: why,
    } = decide(principal, {
      kind: 'approve',
      app_name,
      environment,
      asked_by: token_id,
    });
    if (!allowed) throw new DeployError('policy_denied', why, { policy: { rule } });
    return this.store.decide(id, verdict, principal.actor, reason);
  }

  /**
   * What the person at the client of an agent said about what that agent asked for, and nobody else. Agreeing to what another person has
   * decided in the meantime changes nothing.
   * @throws DeployError as `decide` does
   */
  async decideByElicitation(
    id: string,
    principal: Principal,
    verdict: Verdict,
    reason: string | undefined,
  ): Promise<void> {
    if (!mayElicitApproval(principal)) {
      const message = 'What the client of this token says approves nothing.';
      throw new DeployError('policy_denied', message, { policy: { rule: 'people_approve' } });
    }
    const approval = await this.store.find(id);
    if (approval === undefined || approval.token_id !== principal.token_id) throw new DeployError('approval_not_found');
    if (approval.status === 'approved' && verdict === 'approved') return;
    const told = `by elicitation${reason === undefined ? '' : `: ${reason}`}`;
    await this.store.decide(id, verdict, principal.actor, told);
  }
}

function mayApprove({ scopes }: Principal): boolean {
  return scopes.includes('approve');
}

function isVisible({ action, token_id }: Approval, principal: Principal): boolean {
  if (token_id === principal.token_id) return true;
  const ofItsApps = principal.apps?.some((pattern) => matchesPattern(action.app_name, pattern)) ?? true;
  return mayApprove(principal) && ofItsApps;
}
