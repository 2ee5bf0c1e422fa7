/** Around every route that changes something: noted before, settled after, and answered only then. */
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { DeployError } from '../../domain/errors.js';
import { auditedActionOf, isChange, isUnaudited } from '../../modules/auth/index.js';
import { AuditedRequests, toldBy, toldByEnd } from './audited-requests.js';
import { toDeployError } from './http-errors.js';

@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly requests: AuditedRequests,
    private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (!isChange(request.method)) return next.handle();

    const handler = context.getHandler() as () => unknown;
    if (isUnaudited(this.reflector, handler)) return next.handle();
    const audited = auditedActionOf(this.reflector, handler);
    if (audited === undefined) throw new DeployError('internal', 'A route that changes something has no @Audited.');
    const change = await this.requests.begin(request, http.getResponse<Response>(), audited);
    let answer: unknown;
    try {
      answer = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      await change.failed(toDeployError(error), toldBy(request, audited));
      throw error;
    }
    await change.succeeded(toldByEnd(request, audited, answer));
    return of(answer);
  }
}
