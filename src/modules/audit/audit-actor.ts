/** Who a principal is in the audit trail. */
import type { AuditActor, Principal } from '../../domain/ports.js';

export function auditActorOf(principal: Principal | undefined): AuditActor {
  if (principal === undefined) return { kind: 'anonymous', name: 'anonymous' };
  const { actor, token_id } = principal;
  return { ...actor, ...(token_id !== undefined && { token_id }) };
}
