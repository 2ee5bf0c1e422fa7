/** Apps between deployments: their configuration, releases, and the orders that change them. */
import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/index.js';
import { EdgeModule } from '../edge/index.js';
import { PolicyModule } from '../policy/index.js';
import { AppOrders } from './app-orders.js';
import { AppRemoval } from './app-removal.js';
import { AppsController } from './apps.controller.js';
import { AppsService } from './apps.service.js';
import { ReleasesController } from './releases.controller.js';
import { RollbackTargets } from './rollback-target.js';

@Module({
  imports: [DeploymentsModule, EdgeModule, PolicyModule],
  controllers: [AppsController, ReleasesController],
  providers: [AppOrders, AppRemoval, AppsService, RollbackTargets],
  exports: [AppOrders],
})
export class AppsModule {}
