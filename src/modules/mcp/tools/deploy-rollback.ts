/** `deploy_rollback`: makes an earlier release live again. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AppOrders, RollbackDto } from '../../apps/index.js';
import { requireApp, requireUnfrozen } from '../../auth/index.js';
import { BodyValidator, IDEMPOTENCY_KEY } from '../../deployments/index.js';
import { answer } from '../answer.js';
import { AuditedCalls } from '../audited-calls.js';
import { BRIEF } from '../deployment-brief.js';
import { DeploymentBriefs, WAIT } from '../deployment-briefs.js';
import { parsed, Tool, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { APP_NAME } from './shared-fields.js';

const INPUT = z.looseObject({
  app_name: APP_NAME,
  version: z
    .string()
    .optional()
    .describe('at most one of version, release, deployment_id; default the good release before'),
  release: z.int().optional(),
  deployment_id: z.string().optional(),
  environment: z.string().optional().describe('default production'),
  reason: z.string().optional(),
  idempotency_key: z.string().regex(IDEMPOTENCY_KEY).optional().describe('the same key never does it twice'),
  ...WAIT,
});

@Injectable()
export class DeployRollbackTool extends Tool {
  readonly definition: ToolDefinition = {
    name: 'deploy_rollback',
    title: 'Roll an app back',
    description: 'Makes an earlier release live again: its image and configuration. It is a deployment of its own.',
    scope: 'rollback',
    readOnly: false,
    input: INPUT,
    output: BRIEF,
  };

  constructor(
    private readonly bodies: BodyValidator,
    private readonly orders: AppOrders,
    private readonly briefs: DeploymentBriefs,
    private readonly audited: AuditedCalls,
  ) {
    super();
  }

  async run(call: ToolCall): Promise<CallToolResult> {
    const { app_name, idempotency_key: key, wait_for, timeout_seconds, ...body } = parsed(INPUT, call.arguments);
    const { principal } = call;
    const target = `${app_name}/${body.environment ?? 'production'}`;
    const { deployment_id } = await this.audited.record(call, { action: 'app.rollback', target }, async () => {
      requireUnfrozen(principal);
      requireApp(principal, app_name);
      const dto = await this.bodies.validate(RollbackDto, body);
      return this.orders.rollback(app_name, dto, { principal, key });
    });
    const { content } = await this.briefs.of(deployment_id, { wait_for, seconds: timeout_seconds }, call);
    return answer(content, ['last_lines']);
  }
}
