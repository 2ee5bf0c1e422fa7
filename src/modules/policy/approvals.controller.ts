/** REST: what waits for a person, and the person's word. */
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy } from '../auth/index.js';
import { ApprovalsService } from './approvals.service.js';
import { ApprovalParams, ApprovalsQuery, DecideDto } from './policy.dto.js';
import { ApprovalListView, approvalView, ApprovalView } from './policy.view.js';

@ApiTags('policy')
@Controller('api/v1/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalsService) {}

  /** Newest first: those of the apps you may approve for; without that scope those that you have asked for. */
  @Get()
  @Policy({ scope: 'any' })
  async list(@Query() { status }: ApprovalsQuery, @CurrentPrincipal() principal: Principal): Promise<ApprovalListView> {
    return { approvals: (await this.approvals.list(principal, status)).map(approvalView) };
  }

  @Get(':id')
  @Policy({ scope: 'any' })
  async view(@Param() { id }: ApprovalParams, @CurrentPrincipal() principal: Principal): Promise<ApprovalView> {
    return approvalView(await this.approvals.find(id, principal));
  }

  /** The very same request is accepted once from now on, until the approval expires. */
  @Post(':id/approve')
  @HttpCode(200)
  @Policy({ scope: 'approve' })
  @Audited('approval.approve', ':id')
  async approve(
    @Param() { id }: ApprovalParams,
    @Body() { reason }: DecideDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ApprovalView> {
    return approvalView(await this.approvals.decide(id, principal, 'approved', reason));
  }

  /** The request is refused until the approval would have expired. */
  @Post(':id/reject')
  @HttpCode(200)
  @Policy({ scope: 'approve' })
  @Audited('approval.reject', ':id')
  async reject(
    @Param() { id }: ApprovalParams,
    @Body() { reason }: DecideDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ApprovalView> {
    return approvalView(await this.approvals.decide(id, principal, 'rejected', reason));
  }
}
