/** What other parts may use of the authentication. */
export { establishAdminPassword } from './admin-password.js';
export { CurrentPrincipal } from './auth.guard.js';
export { AuthModule } from './auth.module.js';
export { AuthService } from './auth.service.js';
export { Policy, Public, requireApp, requireScope } from './policy.js';
export { RouteInventory } from './route-inventory.js';
export { FreezeDto } from './session.dto.js';
