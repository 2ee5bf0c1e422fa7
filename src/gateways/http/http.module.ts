/** The HTTP side: every module with routes, and how all of them validate and tell errors. */
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AgentsModule } from '../../modules/agents/index.js';
import { AppsModule } from '../../modules/apps/index.js';
import { AuthModule } from '../../modules/auth/index.js';
import { DeploymentsModule } from '../../modules/deployments/index.js';
import { HealthModule } from '../../modules/health/index.js';
import { LogsModule } from '../../modules/logs/index.js';
import { PluginsModule } from '../../modules/plugins/index.js';
import { PolicyModule } from '../../modules/policy/index.js';
import { RegistriesModule } from '../../modules/registries/index.js';
import { SchemasModule } from '../../modules/schemas/index.js';
import { ProblemFilter } from './problem.filter.js';
import { ProblemsController } from './problems.controller.js';
import { requestValidation } from './validation.js';

@Module({
  imports: [
    AgentsModule,
    AppsModule,
    AuthModule,
    DeploymentsModule,
    HealthModule,
    LogsModule,
    PluginsModule,
    PolicyModule,
    RegistriesModule,
    SchemasModule,
  ],
  controllers: [ProblemsController],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useFactory: requestValidation },
  ],
})
export class HttpModule {}
