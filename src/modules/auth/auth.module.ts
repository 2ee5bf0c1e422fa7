/** Credentials, and the guard in front of every route. Needs a CredentialStore from a global module. */
import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { CaproverLoginController } from './caprover-login.controller.js';
import { LoginBackoff } from './login-backoff.js';
import { RouteInventory } from './route-inventory.js';

@Module({
  imports: [DiscoveryModule],
  controllers: [AuthController, CaproverLoginController],
  providers: [AuthService, LoginBackoff, RouteInventory, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [AuthService, RouteInventory],
})
export class AuthModule implements OnApplicationBootstrap {
  constructor(private readonly inventory: RouteInventory) {}

  /** A route without a policy would be refused at every call; better not to start at all. */
  onApplicationBootstrap(): void {
    this.inventory.check();
  }
}
