/** What other parts may use of the audit. */
export { auditActorOf } from './audit-actor.js';
export { AuditModule } from './audit.module.js';
export { Auditor, type AuditedChange, type Told } from './auditor.js';
export { requestIdOf } from './request-id.js';
