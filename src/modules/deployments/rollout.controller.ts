/** REST: what may be said to a rollout under way. */
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy, requireApp } from '../auth/index.js';
import { DeploymentView } from './deployment.view.js';
import { AbortDto, DeploymentParams, PauseDto, PromoteDto } from './deployments.dto.js';
import { DeploymentsService } from './deployments.service.js';
import { RolloutControl } from './rollout-control.js';

@ApiTags('deployments')
@Controller('api/v1/deployments/:id')
export class RolloutController {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly rollouts: RolloutControl,
  ) {}

  /** Ends the pause that the rollout is in: its next step begins. With `full` all further steps are left out. */
  @Post('promote')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.promote', ':id')
  promote(
    @Param() { id }: DeploymentParams,
    @Body() { full = false }: PromoteDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeploymentView> {
    return this.#told(id, principal, () => this.rollouts.promote(id, principal, full));
  }

  /** Nothing moves on, and no deadline runs, until it is resumed, promoted or aborted. */
  @Post('pause')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.pause', ':id')
  pause(
    @Param() { id }: DeploymentParams,
    @Body() { reason }: PauseDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeploymentView> {
    return this.#told(id, principal, () => this.rollouts.pause(id, principal, reason));
  }

  /** Goes on where it was paused. */
  @Post('resume')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.resume', ':id')
  resume(@Param() { id }: DeploymentParams, @CurrentPrincipal() principal: Principal): Promise<DeploymentView> {
    return this.#told(id, principal, () => this.rollouts.resume(id, principal));
  }

  /** Takes the new version back: everything is as it was before, and the deployment has failed. */
  @Post('abort')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.abort', ':id')
  abort(
    @Param() { id }: DeploymentParams,
    @Body() { reason }: AbortDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeploymentView> {
    return this.#told(id, principal, () => this.rollouts.abort(id, principal, reason));
  }

  async #told(id: string, principal: Principal, say: () => Promise<void>): Promise<DeploymentView> {
    const { state } = await this.deployments.find(id);
    requireApp(principal, state.identity.app_name, 'deployment_not_found');
    await say();
    return this.deployments.view(id, 0, AbortSignal.abort());
  }
}
