/** Answers every error as a problem document, once it is in the audit trail if it belongs there. */
import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AuditedRequests } from './audited-requests.js';
import { toDeployError } from './http-errors.js';
import { ProblemFilter } from './problem.filter.js';

@Catch()
@Injectable()
export class AuditFilter extends ProblemFilter {
  constructor(private readonly requests: AuditedRequests) {
    super();
  }

  override catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') {
      super.catch(thrown, host);
      return;
    }
    const http = host.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    void this.requests.refused(request, response, toDeployError(thrown)).finally(() => super.catch(thrown, host));
  }
}
