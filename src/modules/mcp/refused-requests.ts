/** Requests that were refused before any tool was called, in the audit trail. */
import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { isRefusal, LOOK } from '../../domain/audit-record.js';
import type { DeployError } from '../../domain/errors.js';
import { auditActorOf, Auditor, requestIdOf } from '../audit/index.js';
import { principalOf } from '../auth/index.js';
import { MCP_TOOLS, type Tool } from './tool.js';

@Injectable()
export class RefusedRequests {
  constructor(
    private readonly auditor: Auditor,
    @Inject(MCP_TOOLS) private readonly tools: readonly Tool[],
  ) {}

  async record(request: Request, response: Response, error: DeployError): Promise<void> {
    if (!isRefusal(error.code)) return;
    const intent = {
      at: new Date().toISOString(),
      actor: auditActorOf(principalOf(request)),
      ...this.#asked(request),
      ...(request.ip !== undefined && { address: request.ip }),
      request_id: requestIdOf(response),
    };
    await this.auditor.refused(intent, error);
  }

  /** What was asked for of a tool, where it was one. */
  #asked({ body, path }: Request): { action: string; target: string } {
    const { method, params } = (body ?? {}) as { method?: unknown; params?: { name?: unknown; arguments?: unknown } };
    const tool = method === 'tools/call' && this.tools.find(({ definition }) => definition.name === params?.name);
    if (!tool) return { action: 'mcp.call', target: path };
    const given = params?.arguments;
    return {
      action: tool.readOnly ? LOOK : tool.action,
      target: tool.targetOf(typeof given === 'object' && given !== null ? { ...given } : {}),
    };
  }
}
