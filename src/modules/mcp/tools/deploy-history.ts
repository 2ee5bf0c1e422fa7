/** `deploy_history`: past and present deployments, newest first. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../../domain/errors.js';
import { requireApp } from '../../auth/index.js';
import { DeploymentsService, type DeploymentView } from '../../deployments/index.js';
import { answer, ANSWER_BYTES, fitting, NEXT, type Content } from '../answer.js';
import { parsed, ReadingTool, type ToolDefinition } from '../tool.js';
import type { ToolCall } from '../tool-call.js';
import { plain } from '../untrusted-text.js';
import { APP_NAME, ENVIRONMENT, RESPONSE_FORMAT } from './shared-fields.js';

const CURSOR = /^h\d{1,6}$/;
const REST_BYTES = 1_500;

const INPUT = z.strictObject({
  app_name: APP_NAME.optional().describe('all apps when left out'),
  environment: ENVIRONMENT.optional(),
  limit: z.int().min(1).max(100).default(10),
  cursor: z.string().max(20).optional().describe('next_cursor of the page before'),
  response_format: RESPONSE_FORMAT,
});

@Injectable()
export class DeployHistoryTool extends ReadingTool {
  readonly definition: ToolDefinition = {
    name: 'deploy_history',
    title: 'History of deployments',
    description: 'Lists deployments, newest first, with what became of them.',
    scope: 'read',
    input: INPUT,
    output: z.looseObject({
      deployments: z.array(z.looseObject({ deployment_id: z.string(), status: z.string(), version: z.string() })),
      total: z.number(),
      next_cursor: z.string().optional(),
      next: NEXT.optional(),
    }),
  };

  constructor(private readonly deployments: DeploymentsService) {
    super();
  }

  async run({ arguments: given, principal }: ToolCall): Promise<CallToolResult> {
    const { app_name, environment, limit, cursor, response_format } = parsed(INPUT, given);
    if (app_name !== undefined) {
      requireApp(principal, app_name);
      if (!(await this.deployments.appExists(app_name))) throw new DeployError('app_not_found');
    }
    const offset = offsetOf(cursor);
    const filter = {
      ...(app_name !== undefined && { app_name }),
      ...(environment !== undefined && { environment }),
      ...(principal.apps && { apps: principal.apps }),
    };
    const { deployments, total } = await this.deployments.list(filter, { limit, offset });
    const lines = deployments.map((view) => line(view, response_format === 'detailed'));
    const shown = fitting(lines, ANSWER_BYTES - REST_BYTES);
    const next = offset + shown.length < total ? `h${offset + shown.length}` : undefined;
    return answer({ deployments: shown, total, next_cursor: next, next: next && goOn(given, next) });
  }
}

/** @throws DeployError `cursor_invalid` */
function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!CURSOR.test(cursor)) throw new DeployError('cursor_invalid');
  return Number(cursor.slice(1));
}

function goOn(given: Content, cursor: string): Content {
  return { tool: 'deploy_history', arguments: { ...given, cursor }, why: 'It shows older ones.' };
}

function line(view: DeploymentView, detailed: boolean): Content {
  const { deployment_id, kind, status, app_name, environment, version, release, requested_at, duration_ms } = view;
  return {
    deployment_id,
    app_name,
    ...(environment !== 'production' && { environment }),
    ...(kind !== 'deploy' && { kind }),
    status,
    version,
    release,
    requested_at,
    ...(duration_ms !== undefined && { duration_ms }),
    actor: view.actor,
    ...(view.agent && { agent: plain(view.agent, 100) }),
    ...(view.error && { error_code: view.error.code, ...(view.failed_phase && { failed_phase: view.failed_phase }) }),
    ...(view.rollback_to !== undefined && { rollback_to: view.rollback_to }),
    ...(detailed && {
      source: plain(view.source, 200),
      ...(view.image && { image: plain(view.image, 300) }),
      ...(view.replicas !== undefined && { replicas: view.replicas }),
      ...(view.reason && { reason: plain(view.reason, 200) }),
      ...(view.error && { error_message: plain(view.error.message, 300) }),
    }),
  };
}
