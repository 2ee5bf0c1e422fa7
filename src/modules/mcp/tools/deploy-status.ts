/** `deploy_status`: how a deployment stands; of a failed one this answer alone names the cause. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { PHASES } from '../../../domain/phases.js';
import type { DeploymentView } from '../../deployments/index.js';
import { answer, type Content } from '../answer.js';
import { BRIEF } from '../deployment-brief.js';
import { DeploymentBriefs, WAIT } from '../deployment-briefs.js';
import { parsed, ReadingTool, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { plain } from '../untrusted-text.js';
import { DEPLOYMENT_ID, RESPONSE_FORMAT } from './shared-fields.js';

const INPUT = z.strictObject({ deployment_id: DEPLOYMENT_ID, ...WAIT, response_format: RESPONSE_FORMAT });
const MOST_HOOKS = 30;

@Injectable()
export class DeployStatusTool extends ReadingTool {
  readonly definition: ToolDefinition = {
    name: 'deploy_status',
    title: 'Status of a deployment',
    description:
      'Shows how a deployment stands. When it has failed, error tells phase, code, evidence and suggested fix.',
    scope: 'read',
    input: INPUT,
    output: BRIEF,
  };

  constructor(private readonly briefs: DeploymentBriefs) {
    super();
  }

  async run(call: ToolCall): Promise<CallToolResult> {
    const { deployment_id, wait_for, timeout_seconds, response_format } = parsed(INPUT, call.arguments);
    await this.briefs.requireReadable(deployment_id, call.principal);
    const { view, content } = await this.briefs.of(deployment_id, { wait_for, seconds: timeout_seconds }, call);
    const details = response_format === 'detailed' ? detailsOf(view) : {};
    return answer({ ...content, ...details }, ['checks', 'traffic', 'phases', 'last_lines']);
  }
}

function detailsOf(view: DeploymentView): Content {
  return {
    phases: PHASES.map((phase) => {
      const { status, attempt, duration_ms, reason } = view.phases[phase];
      return { phase, status, attempt, duration_ms, ...(reason && { reason: plain(reason, 200) }) };
    }),
    checks: view.hooks?.slice(0, MOST_HOOKS).map(({ plugin, hook, outcome, code, message }) => ({
      plugin,
      hook,
      outcome,
      ...(code && { code: plain(code, 100) }),
      ...(message && { message: plain(message, 200) }),
    })),
    traffic: view.traffic,
    replicas: view.replicas,
    source: plain(view.source, 300),
    actor: view.actor,
    agent: view.agent && plain(view.agent, 200),
    reason: view.reason && plain(view.reason),
  };
}
