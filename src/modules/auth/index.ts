/** What other parts may use of the authentication. */
export { establishAdminPassword } from './admin-password.js';
export { Audited, auditedActionOf, isChange, isUnaudited, Unaudited, type AuditedAction } from './audited.js';
export { CurrentPrincipal, principalOf, tokenOf } from './auth.guard.js';
export { AuthModule } from './auth.module.js';
export { AuthService } from './auth.service.js';
export { Policy, Public, requireApp, requireScope, requireUnfrozen, type Scope, SCOPES } from './policy.js';
export { RouteInventory, type Route } from './route-inventory.js';
export { FreezeDto } from './session.dto.js';
