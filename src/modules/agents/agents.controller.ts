/** REST: the agents, and the switch that stops them all. */
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy } from '../auth/index.js';
import { AgentListView, FreezeAgentsDto, FrozenView } from './agents.dto.js';
import { AgentsService } from './agents.service.js';

@ApiTags('agents')
@Controller('api/v1/agents')
@Policy({ scope: 'admin' })
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  /** Every agent that a token names: its tokens, its last sign of life, and how much it deploys. */
  @Get()
  async list(): Promise<AgentListView> {
    const { agents, frozen } = await this.agents.list();
    return {
      agents: agents.map(({ tokens, ...agent }) => ({ ...agent, tokens: [...tokens], frozen: frozen !== undefined })),
      ...(frozen && { frozen }),
    };
  }

  /** Stops every agent at once, in all processes: it may read, and change nothing. Deployments under way go on unless you say so. */
  @Post('freeze')
  @Audited('agents.freeze', 'agents')
  @HttpCode(200)
  freeze(
    @Body() { reason, cancel_running = false }: FreezeAgentsDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<FrozenView> {
    return this.agents.freeze(principal, reason, cancel_running);
  }

  /** Agents may do again what their tokens allow. */
  @Post('unfreeze')
  @Audited('agents.unfreeze', 'agents')
  @HttpCode(204)
  unfreeze(): Promise<void> {
    return this.agents.unfreeze();
  }
}
