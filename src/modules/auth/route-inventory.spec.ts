import { Controller, Get, Global, Module, Param, Post } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule, NestFactory } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { Database } from '../../adapters/postgres/database.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import { CredentialStore } from '../../domain/ports.js';
import { AuthGuard } from './auth.guard.js';
import { AuthModule } from './auth.module.js';
import { AuthService } from './auth.service.js';
import { LoginBackoff } from './login-backoff.js';
import { Policy, Public } from './policy.js';
import { Unaudited } from './audited.js';
import { RouteInventory } from './route-inventory.js';

/** Connects when it is first asked, which these tests never do. */
const store = new PostgresCredentialStore(new Database('postgres://nowhere.invalid/none'));

@Global()
@Module({ providers: [{ provide: CredentialStore, useValue: store }], exports: [CredentialStore] })
class StoreModule {}

@Controller('forgotten')
class ForgottenController {
  @Get()
  answer(): string {
    return 'never seen';
  }
}

@Controller('apps')
class MisnamedController {
  @Get(':name')
  @Policy({ scope: 'read', app: 'app_name' })
  find(@Param('name') name: string): string {
    return name;
  }
}

@Controller('unseen')
@Policy({ scope: 'deploy' })
class UnseenController {
  @Post('change')
  change(): string {
    return 'changed';
  }
}

@Controller('asked')
@Policy({ scope: 'deploy' })
class AskedController {
  @Post('explain')
  @Unaudited('a test')
  explain(): string {
    return 'explained';
  }
}

@Controller(['one', 'two'])
@Policy({ scope: 'read' })
class ManyRoutesController {
  @Get(['', 'more'])
  list(): string {
    return 'list';
  }

  @Get('open')
  @Public('a test')
  open(): string {
    return 'open';
  }
}

const start = (controller: new () => object) => {
  @Module({ imports: [StoreModule, AuthModule], controllers: [controller] })
  class TestModule {}
  return NestFactory.create(TestModule, { logger: false, abortOnError: false });
};

describe('the route inventory', () => {
  it.each([
    [ForgottenController, 'GET /forgotten (ForgottenController.answer)'],
    [MisnamedController, 'GET /apps/:name (MisnamedController.find)'],
    [UnseenController, 'Routes that change something without @Audited: POST /unseen/change (UnseenController.change)'],
  ])('stops the start for %o', async (controller, route) => {
    const app = await start(controller);
    await expect(app.init()).rejects.toThrow(route);
    await app.close();
  });

  it('lets a route start that says why it is no change', async () => {
    const app = await start(AskedController);
    await expect(app.init()).resolves.toBe(app);
    await app.close();
  });

  it('knows every path of a handler, and whether its policy is its own', async () => {
    const app = await start(ManyRoutesController);
    const routes = app
      .get(RouteInventory)
      .routes()
      .filter(({ handler }) => handler.startsWith('ManyRoutes'));
    expect(routes.map(({ path, policy }) => [path, policy])).toEqual([
      ['/one', { scope: 'read' }],
      ['/one/more', { scope: 'read' }],
      ['/two', { scope: 'read' }],
      ['/two/more', { scope: 'read' }],
      ['/one/open', { public: 'a test' }],
      ['/two/open', { public: 'a test' }],
    ]);
    await app.close();
  });
});

describe('a route without a policy', () => {
  it('is not served, should the check at the start be missing', async () => {
    @Module({
      imports: [StoreModule, DiscoveryModule],
      controllers: [ForgottenController],
      providers: [AuthService, LoginBackoff, { provide: APP_GUARD, useClass: AuthGuard }],
    })
    class UncheckedModule {}
    const app = await NestFactory.create(UncheckedModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/forgotten`, { headers: { authorization: 'Bearer x' } });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('never seen');
    await app.close();
  });
});
