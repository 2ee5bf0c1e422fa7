/** Refusals as JSON-RPC. Who has no credentials learns where it is told which ones there are: RFC 6750 and RFC 9728. */
import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DeployError, errorRow } from '../../domain/errors.js';
import { metadataUrl } from './public-address.js';
import { RefusedRequests } from './refused-requests.js';

const REFUSED = -32_000;

@Catch(DeployError)
@Injectable()
export class RefusalFilter implements ExceptionFilter<DeployError> {
  constructor(private readonly refused: RefusedRequests) {}

  catch(error: DeployError, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    void this.refused.record(request, response, error).finally(() => answer(request, response, error));
  }
}

function answer(request: Request, response: Response, { code, message, retryAfterSeconds }: DeployError): void {
  const { http = 500, hint, retryable } = errorRow(code);
  if (http === 401) {
    const challenge = `Bearer resource_metadata="${metadataUrl(request)}", scope="read deploy rollback"`;
    response.setHeader('WWW-Authenticate', challenge);
  }
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
  const error = { code: REFUSED, message, data: { code, retryable, ...(hint && { hint }) } };
  response.status(http).json({ jsonrpc: '2.0', id: null, error });
}
