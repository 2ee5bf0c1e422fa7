/** Deployments: the REST routes, the tracker, the five phases, and the validation that runs none of them. */
import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/index.js';
import { LogsModule } from '../logs/index.js';
import { PolicyModule } from '../policy/index.js';
import { AppSettings } from './app-settings.js';
import { DeployBody } from './deploy-body.js';
import { DeployRequests } from './deploy-request.js';
import { DeploymentLifecycleTracker } from './deployment-lifecycle-tracker.js';
import { DeploymentsController } from './deployments.controller.js';
import { DeploymentsService } from './deployments.service.js';
import { HookReach } from './hooks/hook-reach.js';
import { HookRunner } from './hooks/hook-runner.js';
import { BuildPhase } from './phases/build.phase.js';
import { DeployPhase } from './phases/deploy.phase.js';
import { PostDeployPhase } from './phases/post-deploy.phase.js';
import { PreBuildPhase } from './phases/pre-build.phase.js';
import { PreDeployPhase } from './phases/pre-deploy.phase.js';
import { PhaseHandlers, type PhaseHandler } from './phase-handler.js';
import { ImageCleanup } from './image-cleanup.js';
import { JobCleanup } from './job-cleanup.js';
import { Retirement } from './rollout/retirement.js';
import { RolloutControl } from './rollout-control.js';
import { RolloutController } from './rollout.controller.js';
import { Rollouts } from './rollout/rollouts.js';
import { SourceWorkspace } from './source-workspace.js';
import { Uploads } from './upload.js';
import { Outlooks } from './validation/outlook.js';
import { PlanInputs } from './validation/plan-inputs.js';
import { ValidationChecks } from './validation/validation-checks.js';
import { ValidationController } from './validation/validation.controller.js';
import { Validator } from './validation/validator.js';

const PHASE_CLASSES = [PreBuildPhase, BuildPhase, PreDeployPhase, DeployPhase, PostDeployPhase];

@Module({
  imports: [EdgeModule, LogsModule, PolicyModule],
  controllers: [DeploymentsController, RolloutController, ValidationController],
  providers: [
    ...PHASE_CLASSES,
    {
      provide: PhaseHandlers,
      useFactory: (...handlers: PhaseHandler[]) => new PhaseHandlers(handlers),
      inject: PHASE_CLASSES,
    },
    HookReach,
    HookRunner,
    Outlooks,
    PlanInputs,
    ValidationChecks,
    Validator,
    AppSettings,
    DeployBody,
    DeployRequests,
    DeploymentLifecycleTracker,
    DeploymentsService,
    ImageCleanup,
    JobCleanup,
    Retirement,
    RolloutControl,
    Rollouts,
    SourceWorkspace,
    Uploads,
  ],
  exports: [
    AppSettings,
    DeployRequests,
    DeploymentLifecycleTracker,
    DeploymentsService,
    ImageCleanup,
    JobCleanup,
    Retirement,
    SourceWorkspace,
    Uploads,
    Validator,
  ],
})
export class DeploymentsModule {}
