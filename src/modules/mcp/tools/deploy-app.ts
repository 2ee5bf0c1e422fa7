/** `deploy_app`: orders a deployment, or shows what it would do. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { requireApp } from '../../auth/index.js';
import {
  BodyValidator,
  DeployDto,
  DeploymentsService,
  DeployRequests,
  type ValidationView,
  Validator,
} from '../../deployments/index.js';
import type { Content } from '../answer.js';
import { BRIEF } from '../deployment-brief.js';
import { DeploymentBriefs, WAIT } from '../deployment-briefs.js';
import { planAnswer, requirePlan } from '../plan-answer.js';
import { type Changed, ChangingTool, parsed, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { DEPLOY_FIELDS, OTHER_FIELDS } from './deploy-fields.js';
import { PLANNED } from './shared-fields.js';

const OWN = { ...PLANNED, ...WAIT };

@Injectable()
export class DeployAppTool extends ChangingTool {
  readonly definition: ToolDefinition = {
    name: 'deploy_app',
    title: 'Deploy an app',
    description: `Deploys an image or source. Answers at once with a deployment_id, or with wait_for when it has changed or ended. The deployment goes on whatever becomes of the call. ${OTHER_FIELDS}`,
    scope: 'deploy',
    input: z.looseObject({ ...DEPLOY_FIELDS, ...OWN }),
    output: BRIEF.partial(),
  };

  readonly action = 'deployment.create';

  constructor(
    private readonly bodies: BodyValidator,
    private readonly requests: DeployRequests,
    private readonly deployments: DeploymentsService,
    private readonly briefs: DeploymentBriefs,
    private readonly validator: Validator,
  ) {
    super();
  }

  targetOf({ app_name }: Content): string {
    return typeof app_name === 'string' && app_name !== '' ? app_name : 'no app';
  }

  async plan(call: ToolCall): Promise<CallToolResult> {
    const { own, body } = split(call.arguments);
    const { idempotency_key } = parsed(z.object(OWN), own);
    const view = await this.#validated(await this.#wish(body, call), call);
    return planAnswer('deploy_app', { ...body, idempotency_key }, view);
  }

  async change(call: ToolCall): Promise<Changed> {
    const { own, body } = split(call.arguments);
    const { wait_for, timeout_seconds, expected_plan_hash: plan_hash, idempotency_key } = parsed(z.object(OWN), own);
    const dto = await this.#wish(body, call);
    const order = await this.requests.order(dto, undefined, call.principal, idempotency_key);
    // A key that is known is answered first: what it led to has changed the plan.
    const known = await this.deployments.replayed(order.idempotency);
    if (plan_hash !== undefined && !known) requirePlan(plan_hash, await this.#validated(dto, call));
    const { deployment_id, approval_id } = known ?? (await this.deployments.deploy(order, call.principal));
    return {
      told: { target: deployment_id, ...(plan_hash && { plan_hash }), ...(approval_id && { approval_id }) },
      answer: () => this.briefs.answer(deployment_id, { wait_for, seconds: timeout_seconds }, call),
    };
  }

  async #wish(body: Content, { principal }: ToolCall): Promise<DeployDto> {
    const dto = await this.bodies.validate(DeployDto, body);
    requireApp(principal, dto.app_name);
    return dto;
  }

  #validated(dto: DeployDto, { principal, signal }: ToolCall): Promise<ValidationView> {
    return this.validator.validate({ dto, archive: undefined, principal }, signal);
  }
}

/** What is the tool's own, and the body of a deploy. */
function split(values: Content): { own: Content; body: Content } {
  const isOwn = ([name]: [string, unknown]): boolean => name in OWN;
  const entries = Object.entries(values);
  return {
    own: Object.fromEntries(entries.filter(isOwn)),
    body: Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
  };
}
