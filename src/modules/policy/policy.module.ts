/** What tokens may do, decided in one place, and what people approve. Needs PolicyStore, AgentStore and AppStore. */
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { ApprovalsController } from './approvals.controller.js';
import { ApprovalsService } from './approvals.service.js';
import { PolicyController } from './policy.controller.js';
import { PolicyGate } from './policy-gate.js';

@Module({
  imports: [AuthModule],
  controllers: [PolicyController, ApprovalsController],
  providers: [ApprovalsService, PolicyGate],
  exports: [ApprovalsService, PolicyGate],
})
export class PolicyModule {}
