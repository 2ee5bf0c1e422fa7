/** The HTTP side: every module with routes, and how all of them validate and tell errors. */
import { Module } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { AgentsModule } from '../../modules/agents/index.js';
import { AppsModule } from '../../modules/apps/index.js';
import { AuthModule } from '../../modules/auth/index.js';
import { DeploymentsModule } from '../../modules/deployments/index.js';
import { HealthModule } from '../../modules/health/index.js';
import { LogsModule } from '../../modules/logs/index.js';
import { McpModule } from '../../modules/mcp/index.js';
import { PluginsModule } from '../../modules/plugins/index.js';
import { PolicyModule } from '../../modules/policy/index.js';
import { RegistriesModule } from '../../modules/registries/index.js';
import { SchemasModule } from '../../modules/schemas/index.js';
import { HttpAuditModule } from './http-audit.module.js';
import { ProblemsController } from './problems.controller.js';
import { requestValidation } from './validation.js';

@Module({
  imports: [
    AgentsModule,
    AppsModule,
    AuthModule,
    DeploymentsModule,
    HealthModule,
    HttpAuditModule,
    LogsModule,
    McpModule,
    PluginsModule,
    PolicyModule,
    RegistriesModule,
    SchemasModule,
  ],
  controllers: [ProblemsController],
  providers: [{ provide: APP_PIPE, useFactory: requestValidation }],
})
export class HttpModule {}
