/** `deploy_app`: orders a deployment, or shows what it would do. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../../domain/errors.js';
import { requireApp } from '../../auth/index.js';
import {
  BodyValidator,
  DeployDto,
  DeploymentsService,
  DeployRequests,
  IDEMPOTENCY_KEY,
  Validator,
} from '../../deployments/index.js';
import { answer, type Content } from '../answer.js';
import { BRIEF } from '../deployment-brief.js';
import { DeploymentBriefs, WAIT } from '../deployment-briefs.js';
import { planAnswer } from '../plan-answer.js';
import { parsed, Tool, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { DEPLOY_FIELDS, OTHER_FIELDS } from './deploy-fields.js';

const OWN = {
  dry_run: z.boolean().optional().describe('only show the plan, as deploy_validate does'),
  expected_plan_hash: z.string().max(200).optional().describe('refuse when the plan is another one by now'),
  idempotency_key: z.string().regex(IDEMPOTENCY_KEY).optional().describe('the same key never deploys twice'),
  ...WAIT,
};

@Injectable()
export class DeployAppTool extends Tool {
  readonly definition: ToolDefinition = {
    name: 'deploy_app',
    title: 'Deploy an app',
    description: `Deploys an image or source. Answers at once with a deployment_id, or with wait_for when it has changed or ended. The deployment goes on whatever becomes of the call. ${OTHER_FIELDS}`,
    scope: 'deploy',
    readOnly: false,
    input: z.looseObject({ ...DEPLOY_FIELDS, ...OWN }),
    output: BRIEF.partial(),
  };

  constructor(
    private readonly bodies: BodyValidator,
    private readonly requests: DeployRequests,
    private readonly deployments: DeploymentsService,
    private readonly briefs: DeploymentBriefs,
    private readonly validator: Validator,
  ) {
    super();
  }

  async run(call: ToolCall): Promise<CallToolResult> {
    const [own, body] = split(call.arguments);
    const { dry_run, expected_plan_hash, idempotency_key, wait_for, timeout_seconds } = parsed(z.object(OWN), own);
    const dto = await this.bodies.validate(DeployDto, body);
    requireApp(call.principal, dto.app_name);
    if (dry_run || expected_plan_hash !== undefined) {
      const plan = await this.validator.validate({ dto, archive: undefined, principal: call.principal }, call.signal);
      if (dry_run) return planAnswer('deploy_app', body, plan);
      if (plan.plan_hash !== expected_plan_hash) throw new DeployError('plan_changed');
    }

    const order = await this.requests.order(dto, undefined, call.principal, idempotency_key);
    const { deployment_id } = await this.deployments.deploy(order, call.principal);
    const { content } = await this.briefs.of(deployment_id, { wait_for, seconds: timeout_seconds }, call);
    return answer(content, ['last_lines']);
  }
}

/** What is the tool's own, and the body of a deploy. */
function split(values: Content): [Content, Content] {
  const isOwn = ([name]: [string, unknown]) => name in OWN;
  const entries = Object.entries(values);
  return [Object.fromEntries(entries.filter(isOwn)), Object.fromEntries(entries.filter((entry) => !isOwn(entry)))];
}
