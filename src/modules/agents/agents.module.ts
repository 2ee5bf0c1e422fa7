/** Agents and their freeze. Needs AgentStore from a global module. */
import { Module } from '@nestjs/common';
import { DeploymentsModule } from '../deployments/index.js';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';

@Module({ imports: [DeploymentsModule], controllers: [AgentsController], providers: [AgentsService] })
export class AgentsModule {}
