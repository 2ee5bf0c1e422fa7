/** REST: apps, what they are configured to be, and every way to change that. */
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy } from '../auth/index.js';
import { AppParams, DeploymentView, IdempotencyKey, Idempotent, PageQuery } from '../deployments/index.js';
import { AppOrders } from './app-orders.js';
import { AppRemoval } from './app-removal.js';
import { AppListView, AppView } from './app.view.js';
import { ConfigureAppDto, DeleteAppQuery, EnvironmentQuery, RestartDto, RollbackDto, ScaleDto } from './apps.dto.js';
import { AppsService } from './apps.service.js';
import { RemovedAppView } from './removed-app.view.js';

@ApiTags('apps')
@Controller('api/v1/apps')
export class AppsController {
  constructor(
    private readonly apps: AppsService,
    private readonly orders: AppOrders,
    private readonly removal: AppRemoval,
  ) {}

  /** Every app in each of its environments, by name. */
  @Get()
  @Policy({ scope: 'read' })
  list(@Query() { limit = 100, offset = 0 }: PageQuery, @CurrentPrincipal() { apps }: Principal): Promise<AppListView> {
    return this.apps.list(apps, { limit, offset });
  }

  @Get(':name')
  @Policy({ scope: 'read', app: 'name' })
  view(@Param() { name }: AppParams, @Query() { environment = 'production' }: EnvironmentQuery): Promise<AppView> {
    return this.apps.view({ app_name: name, environment });
  }

  /** Changes the configuration: a deployment of the image that is live. Replicas are replaced only where they must be. */
  @Patch(':name')
  @HttpCode(202)
  @Policy({ scope: 'apps:write', app: 'name' })
  @Audited('app.configure', ':name/:environment=production')
  @Idempotent()
  configure(
    @Param() { name }: AppParams,
    @Body() body: ConfigureAppDto,
    @CurrentPrincipal() principal: Principal,
    @IdempotencyKey() key: string | undefined,
  ): Promise<DeploymentView> {
    return this.orders.configure(name, body, { principal, key });
  }

  /** Changes the number of replicas, and replaces none. */
  @Post(':name/scale')
  @HttpCode(202)
  @Policy({ scope: 'deploy', app: 'name' })
  @Audited('app.scale', ':name/:environment=production')
  @Idempotent()
  scale(
    @Param() { name }: AppParams,
    @Body() body: ScaleDto,
    @CurrentPrincipal() principal: Principal,
    @IdempotencyKey() key: string | undefined,
  ): Promise<DeploymentView> {
    return this.orders.scale(name, body, { principal, key });
  }

  /** Replaces every replica by a new one of the same content, a few at a time. */
  @Post(':name/restart')
  @HttpCode(202)
  @Policy({ scope: 'deploy', app: 'name' })
  @Audited('app.restart', ':name/:environment=production')
  @Idempotent()
  restart(
    @Param() { name }: AppParams,
    @Body() body: RestartDto,
    @CurrentPrincipal() principal: Principal,
    @IdempotencyKey() key: string | undefined,
  ): Promise<DeploymentView> {
    return this.orders.restart(name, body, { principal, key });
  }

  /** Goes back to a release: its image and its configuration, but as many replicas as there are now. */
  @Post(':name/rollback')
  @HttpCode(202)
  @Policy({ scope: 'rollback', app: 'name' })
  @Audited('app.rollback', ':name/:environment=production')
  @Idempotent()
  rollback(
    @Param() { name }: AppParams,
    @Body() body: RollbackDto,
    @CurrentPrincipal() principal: Principal,
    @IdempotencyKey() key: string | undefined,
  ): Promise<DeploymentView> {
    return this.orders.rollback(name, body, { principal, key });
  }

  /** Removes the app with its services, releases and host names. Deployments and their log stay readable. */
  @Delete(':name')
  @Policy({ scope: 'apps:write', app: 'name' })
  @Audited('app.delete', ':name/:environment=production')
  remove(
    @Param() { name }: AppParams,
    @Query() { environment = 'production', volumes = 'keep' }: DeleteAppQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RemovedAppView> {
    return this.removal.remove({ app_name: name, environment }, volumes, principal);
  }
}
