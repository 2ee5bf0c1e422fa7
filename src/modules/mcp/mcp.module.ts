/** The MCP server. Needs an McpOptions and a BodyValidator from a global module. */
import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/index.js';
import { AuditModule } from '../audit/index.js';
import { DeploymentsModule } from '../deployments/index.js';
import { LogsModule } from '../logs/index.js';
import { AuditedCalls } from './audited-calls.js';
import { DeploymentBriefs } from './deployment-briefs.js';
import { DeploymentResources } from './deployment-resources.js';
import { DiagnosePrompt } from './diagnose-prompt.js';
import { LegacySessions } from './legacy-sessions.js';
import { LogFollower } from './log-follower.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { MCP_TOOLS, McpServers } from './mcp-servers.js';
import { McpController } from './mcp.controller.js';
import { RefusedRequests } from './refused-requests.js';
import type { Tool } from './tool.js';
import { TOOLS } from './tools/index.js';

@Module({
  imports: [AppsModule, AuditModule, DeploymentsModule, LogsModule],
  controllers: [McpController],
  providers: [
    ...TOOLS,
    { provide: MCP_TOOLS, useFactory: (...tools: Tool[]) => tools, inject: [...TOOLS] },
    AuditedCalls,
    DeploymentBriefs,
    DeploymentResources,
    DiagnosePrompt,
    LegacySessions,
    LogFollower,
    McpEndpoint,
    McpServers,
    RefusedRequests,
  ],
})
export class McpModule {}
