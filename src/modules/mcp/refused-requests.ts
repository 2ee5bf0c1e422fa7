/** Requests that were refused before any tool was called, in the audit trail. */
import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { isRefusal } from '../../domain/audit-record.js';
import type { DeployError } from '../../domain/errors.js';
import { auditActorOf, Auditor } from '../audit/index.js';
import { principalOf } from '../auth/index.js';

@Injectable()
export class RefusedRequests {
  constructor(private readonly auditor: Auditor) {}

  async record(request: Request, error: DeployError): Promise<void> {
    if (!isRefusal(error.code)) return;
    const intent = {
      at: new Date().toISOString(),
      actor: auditActorOf(principalOf(request)),
      action: 'mcp.call',
      target: request.path,
      ...(request.ip !== undefined && { address: request.ip }),
    };
    await this.auditor.refused(intent, error);
  }
}
