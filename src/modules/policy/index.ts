/** What other parts may use of the policy. */
export { ApprovalsService } from './approvals.service.js';
export { planHash } from './plan-hash.js';
export { PolicyGate } from './policy-gate.js';
export { PolicyModule } from './policy.module.js';
