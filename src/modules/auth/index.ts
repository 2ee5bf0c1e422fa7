/** What other modules may import. */
export { type AdminPasswordOptions, type AdminPasswordPlace, establishAdminPassword } from './admin-password.js';
export { CurrentPrincipal } from './auth.guard.js';
export { AuthModule } from './auth.module.js';
export { AuthService, type Session } from './auth.service.js';
export { mayUseApp, Policy, Public, requireApp, requireScope, type Scope, SCOPES } from './policy.js';
export { type Route, RouteInventory } from './route-inventory.js';
