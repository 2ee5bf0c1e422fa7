/** The MCP server. Needs AgentStore, Secrets, an McpOptions and a BodyValidator from global modules. */
import { Module } from '@nestjs/common';
import { AppsModule } from '../apps/index.js';
import { AuditModule } from '../audit/index.js';
import { AuthModule } from '../auth/index.js';
import { DeploymentsModule } from '../deployments/index.js';
import { LogsModule } from '../logs/index.js';
import { PolicyModule } from '../policy/index.js';
import { ApprovalQuestion } from './approval-question.js';
import { DeploymentBriefs } from './deployment-briefs.js';
import { DeploymentResources } from './deployment-resources.js';
import { DiagnosePrompt } from './diagnose-prompt.js';
import { LastingAnswers } from './lasting-answers.js';
import { LegacySessions } from './legacy-sessions.js';
import { LogFollower } from './log-follower.js';
import { McpEndpoint } from './mcp-endpoint.js';
import { McpServers } from './mcp-servers.js';
import { McpController } from './mcp.controller.js';
import { RefusedRequests } from './refused-requests.js';
import { MCP_TOOLS, type Tool } from './tool.js';
import { ToolRuns } from './tool-runs.js';
import { TOOLS } from './tools/index.js';

@Module({
  imports: [AppsModule, AuditModule, AuthModule, DeploymentsModule, LogsModule, PolicyModule],
  controllers: [McpController],
  providers: [
    ...TOOLS,
    { provide: MCP_TOOLS, useFactory: (...tools: Tool[]) => tools, inject: [...TOOLS] },
    ApprovalQuestion,
    DeploymentBriefs,
    DeploymentResources,
    DiagnosePrompt,
    LastingAnswers,
    LegacySessions,
    LogFollower,
    McpEndpoint,
    McpServers,
    RefusedRequests,
    ToolRuns,
  ],
})
export class McpModule {}
