/** `deploy_rollback`: makes an earlier release live again, or shows what that would do. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AppOrders, RollbackDto } from '../../apps/index.js';
import { requireApp } from '../../auth/index.js';
import { BodyValidator, type PlannedOrder, type ValidationView, Validator } from '../../deployments/index.js';
import type { Content } from '../answer.js';
import { BRIEF } from '../deployment-brief.js';
import { DeploymentBriefs, WAIT } from '../deployment-briefs.js';
import { planAnswer, requirePlan } from '../plan-answer.js';
import { type Changed, ChangingTool, parsed, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { APP_NAME, PLANNED } from './shared-fields.js';

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
  ...PLANNED,
  ...WAIT,
});

/** What is asked for, beside how. */
interface Wish {
  readonly app_name: string;
  readonly dto: RollbackDto;
}

@Injectable()
export class DeployRollbackTool extends ChangingTool {
  readonly definition: ToolDefinition = {
    name: 'deploy_rollback',
    title: 'Roll an app back',
    description: 'Makes an earlier release live again: its image and configuration. It is a deployment of its own.',
    scope: 'rollback',
    input: INPUT,
    output: BRIEF.partial(),
  };
  readonly action = 'app.rollback';

  constructor(
    private readonly bodies: BodyValidator,
    private readonly orders: AppOrders,
    private readonly validator: Validator,
    private readonly briefs: DeploymentBriefs,
  ) {
    super();
  }

  targetOf({ app_name, environment = 'production' }: Content): string {
    return typeof app_name === 'string' ? `${app_name}/${String(environment)}` : 'no app';
  }

  async plan(call: ToolCall): Promise<CallToolResult> {
    const { app_name, body, key } = split(call.arguments);
    const view = await this.#validated(await this.#wish(app_name, body, call), call);
    return planAnswer('deploy_rollback', { app_name, ...body, idempotency_key: key }, view, 'deploy_rollback');
  }

  async change(call: ToolCall): Promise<Changed> {
    const { app_name, body, wait_for, timeout_seconds, plan_hash, key } = split(call.arguments);
    const { principal, signal } = call;
    const { dto } = await this.#wish(app_name, body, call);
    const agreed = async (order: PlannedOrder): Promise<void> => {
      if (plan_hash !== undefined) requirePlan(plan_hash, await this.validator.validateOrder(order, principal, signal));
    };
    const { deployment_id, approval_id } = await this.orders.rollback(app_name, dto, { principal, key, agreed });
    return {
      told: { ...(plan_hash && { plan_hash }), ...(approval_id && { approval_id }) },
      answer: () => this.briefs.answer(deployment_id, { wait_for, seconds: timeout_seconds }, call),
    };
  }

  async #wish(app_name: string, body: Content, { principal }: ToolCall): Promise<Wish> {
    requireApp(principal, app_name);
    return { app_name, dto: await this.bodies.validate(RollbackDto, body) };
  }

  async #validated({ app_name, dto }: Wish, { principal, signal }: ToolCall): Promise<ValidationView> {
    return this.validator.validateOrder(await this.orders.rollbackOrder(app_name, dto, principal), principal, signal);
  }
}

/** What is the tool's own, and the body of a rollback. */
function split(values: Content) {
  const {
    app_name,
    dry_run: _,
    expected_plan_hash: plan_hash,
    idempotency_key: key,
    wait_for,
    timeout_seconds,
    ...body
  } = parsed(INPUT, values);
  return { app_name, plan_hash, key, wait_for, timeout_seconds, body };
}
