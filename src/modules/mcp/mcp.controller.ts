/** The MCP server's routes: `/mcp` itself, and what clients are told of its credentials. */
import {
  All,
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Req,
  Res,
  UseFilters,
} from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { validateOriginHeader } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { DeployError, errorRow } from '../../domain/errors.js';
import type { Principal } from '../../domain/ports.js';
import { CurrentPrincipal, Policy, Public, SCOPES } from '../auth/index.js';
import { authInfoOf } from './caller.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { McpOptions } from './mcp-options.js';
import { ResourceMetadataView } from './resource-metadata.view.js';

const REFUSED = -32_000;

/** Refusals as JSON-RPC. Who has no credentials learns where it is told which ones there are: RFC 6750 and RFC 9728. */
@Catch(DeployError)
class RefusalFilter implements ExceptionFilter<DeployError> {
  catch({ code, message, retryAfterSeconds }: DeployError, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const { http = 500, hint, retryable } = errorRow(code);
    if (http === 401) {
      const challenge = `Bearer resource_metadata="${metadataUrl(request)}", scope="read deploy rollback"`;
      response.setHeader('WWW-Authenticate', challenge);
    }
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
    const error = { code: REFUSED, message, data: { code, retryable, ...(hint && { hint }) } };
    response.status(http).json({ jsonrpc: '2.0', id: null, error });
  }
}

@ApiTags('mcp')
@Controller()
export class McpController {
  constructor(
    private readonly endpoint: McpEndpoint,
    private readonly options: McpOptions,
  ) {}

  /** The Model Context Protocol over Streamable HTTP, for agents. */
  @All('mcp')
  @Policy({ scope: 'any' })
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
    await this.endpoint.serve(Object.assign(request, { auth: authInfoOf(principal, metadataUrl(request)) }), response);
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

function originOf(request: Request): string {
  return `${request.protocol}://${request.host}`;
}

function metadataUrl(request: Request): string {
  return `${originOf(request)}/.well-known/oauth-protected-resource/mcp`;
}
