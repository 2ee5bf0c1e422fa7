/** `deploy_validate`: says what would become of a deployment, and changes nothing. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { requireApp } from '../../auth/index.js';
import { BodyValidator, ValidateDto, Validator } from '../../deployments/index.js';
import { PLAN, planAnswer } from '../plan-answer.js';
import { ReadingTool, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { DEPLOY_FIELDS } from './deploy-fields.js';

const { app_name, image, source, environment, replicas, strategy, validation_level } = DEPLOY_FIELDS;

@Injectable()
export class DeployValidateTool extends ReadingTool {
  readonly definition: ToolDefinition = {
    name: 'deploy_validate',
    title: 'Validate a deployment',
    description:
      'Tells whether a deployment would pass its checks and what it would do, without doing it. Takes every field of deploy_app; without image and source the app is validated as it is.',
    scope: 'deploy',
    input: z.looseObject({
      app_name,
      image,
      source,
      environment,
      replicas,
      strategy,
      validation_level,
      run_tests: z.boolean().optional().describe("runs the app's tests in its image"),
      run_security_scan: z.boolean().optional(),
    }),
    output: PLAN,
  };

  constructor(
    private readonly bodies: BodyValidator,
    private readonly validator: Validator,
  ) {
    super();
  }

  async run({ arguments: body, principal, signal }: ToolCall): Promise<CallToolResult> {
    const dto = await this.bodies.validate(ValidateDto, body);
    requireApp(principal, dto.app_name);
    return planAnswer(
      'deploy_validate',
      body,
      await this.validator.validate({ dto, archive: undefined, principal }, signal),
    );
  }
}
