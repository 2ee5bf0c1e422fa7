/** `deploy_app`: orders a deployment, or shows what it would do. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../../domain/errors.js';
import type { Told } from '../../audit/index.js';
import { requireApp } from '../../auth/index.js';
import {
  BodyValidator,
  DeployDto,
  DeploymentsService,
  type DeploymentView,
  DeployRequests,
  IDEMPOTENCY_KEY,
  type ValidationView,
  Validator,
} from '../../deployments/index.js';
import { answer, type Content } from '../answer.js';
import { AuditedCalls, nameIn } from '../audited-calls.js';
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

type Ways = Omit<z.output<z.ZodObject<typeof OWN>>, keyof typeof WAIT>;

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
    private readonly audited: AuditedCalls,
  ) {
    super();
  }

  async run(call: ToolCall): Promise<CallToolResult> {
    const [own, body] = split(call.arguments);
    const { wait_for, timeout_seconds, ...ways } = parsed(z.object(OWN), own);
    if (ways.dry_run) return planAnswer('deploy_app', body, await this.#plan(await this.#wish(body, call), call));
    const { deployment_id } = await this.audited.record(
      call,
      { action: 'deployment.create', target: nameIn(body) },
      () => this.#deploy(body, ways, call),
      (view) => ({ target: view.deployment_id, ...planHashOf(ways) }),
    );
    const { content } = await this.briefs.of(deployment_id, { wait_for, seconds: timeout_seconds }, call);
    return answer(content, ['last_lines']);
  }

  async #deploy(body: Content, ways: Ways, call: ToolCall): Promise<DeploymentView> {
    const { expected_plan_hash, idempotency_key } = ways;
    const dto = await this.#wish(body, call);
    if (expected_plan_hash !== undefined) {
      const { plan_hash } = await this.#plan(dto, call);
      if (plan_hash !== expected_plan_hash) throw new DeployError('plan_changed');
    }
    const order = await this.requests.order(dto, undefined, call.principal, idempotency_key);
    return this.deployments.deploy(order, call.principal);
  }

  async #wish(body: Content, { principal }: ToolCall): Promise<DeployDto> {
    const dto = await this.bodies.validate(DeployDto, body);
    requireApp(principal, dto.app_name);
    return dto;
  }

  #plan(dto: DeployDto, { principal, signal }: ToolCall): Promise<ValidationView> {
    return this.validator.validate({ dto, archive: undefined, principal }, signal);
  }
}

function planHashOf({ expected_plan_hash: plan_hash }: Ways): Told {
  return plan_hash === undefined ? {} : { plan_hash };
}

/** What is the tool's own, and the body of a deploy. */
function split(values: Content): [Content, Content] {
  const isOwn = ([name]: [string, unknown]) => name in OWN;
  const entries = Object.entries(values);
  return [Object.fromEntries(entries.filter(isOwn)), Object.fromEntries(entries.filter((entry) => !isOwn(entry)))];
}
