/** The MCP server's routes: `/mcp` itself, and what clients are told of its credentials. */
import { All, Controller, Get, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { validateOriginHeader } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { AgentStore, type Principal } from '../../domain/ports.js';
import { requestIdOf } from '../audit/index.js';
import { CurrentPrincipal, Policy, Public, SCOPES, Unaudited } from '../auth/index.js';
import { authInfoOf } from './caller.js';
import { LastingAnswers } from './lasting-answers.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { McpOptions } from './mcp-options.js';
import { metadataUrl, originOf } from './public-address.js';
import { RefusalFilter } from './refusal.filter.js';
import { RefusedRequests } from './refused-requests.js';
import { ResourceMetadataView } from './resource-metadata.view.js';

@ApiTags('mcp')
@Controller()
export class McpController {
  constructor(
    private readonly endpoint: McpEndpoint,
    private readonly options: McpOptions,
    private readonly refused: RefusedRequests,
    private readonly answers: LastingAnswers,
    private readonly agents: AgentStore,
  ) {}

  /** The Model Context Protocol over Streamable HTTP, for agents. */
  @All('mcp')
  @Policy({ scope: 'any' })
  @Unaudited('Each call of a tool that changes something is recorded by itself.')
  @UseFilters(RefusalFilter)
  @ApiExcludeEndpoint()
  async serve(
    @Req() request: Request,
    @Res() response: Response,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    // A page of another site must not reach it through somebody's browser: DNS rebinding.
    if (!validateOriginHeader(request.header('origin'), this.options.pageHosts).ok) {
      throw new DeployError('forbidden', 'Pages of this origin may not call it.');
    }
    const origin = { address: request.ip, request_id: requestIdOf(response) };
    const auth = authInfoOf(await this.#asAgent(principal), metadataUrl(request), origin);
    this.answers.watch(request, response);
    await this.endpoint.serve(Object.assign(request, { auth }), response);
    // The SDK itself answers whoever lacks the scope of a tool.
    if (response.statusCode === 403)
      await this.refused.record(
        request,
        response,
        new DeployError('forbidden', 'The token lacks the scope of the tool.'),
      );
  }

  /** Whoever comes through this door acts as an agent, whatever credentials it has: the freeze stops it too. */
  async #asAgent(principal: Principal): Promise<Principal> {
    if (principal.actor.agent !== undefined) return principal;
    const frozen = await this.agents.frozen();
    return frozen === undefined ? principal : { ...principal, frozen };
  }

  /** Which credentials `/mcp` takes (RFC 9728). */
  @Get('.well-known/oauth-protected-resource/mcp')
  @Public('clients read it before they have credentials')
  metadata(@Req() request: Request): ResourceMetadataView {
    return {
      resource: `${originOf(request)}/mcp`,
      resource_name: 'FlukeDeploy',
      scopes_supported: [...SCOPES],
      bearer_methods_supported: ['header'],
    };
  }
}
