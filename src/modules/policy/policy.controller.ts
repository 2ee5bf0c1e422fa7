/** REST: what would be decided, without doing it. */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AgentStore, type Principal } from '../../domain/ports.js';
import { AuthService, CurrentPrincipal, Policy, requireScope, Unaudited } from '../auth/index.js';
import { PolicyGate } from './policy-gate.js';
import { ExplainDto } from './policy.dto.js';
import { DecisionView } from './policy.view.js';

@ApiTags('policy')
@Controller('api/v1/policy')
export class PolicyController {
  constructor(
    private readonly gate: PolicyGate,
    private readonly auth: AuthService,
    private readonly agents: AgentStore,
  ) {}

  /** What the policy says to an action of yours (or, for administrators, of a token), and which rule says so. Nothing is done. */
  @Post('explain')
  @HttpCode(200)
  @Policy({ scope: 'any' })
  @Unaudited('Nothing is done.')
  async explain(
    @Body() { action, token_id }: ExplainDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DecisionView> {
    if (token_id === undefined) return this.gate.explain(principal, action);
    requireScope(principal, 'admin');
    return this.gate.explain(await this.auth.principalOfToken(token_id, await this.agents.frozen()), action);
  }
}
