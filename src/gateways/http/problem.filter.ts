/** Answers every error as a problem document; what was not foreseen is logged, and tells the client nothing. */
import { inspect } from 'node:util';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger, NotFoundException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { allowedMethods } from './allowed-methods.js';
import { toDeployError } from './http-errors.js';
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.js';

/** For refusals that do not know better. */
const RETRY_AFTER_SECONDS = 5;

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = toDeployError(thrown);
    if (error.code === 'internal') this.log(error);
    if (host.getType() !== 'http') return;

    const http = host.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    const methods = thrown instanceof NotFoundException && !response.headersSent ? allowedMethods(request) : [];
    if (methods.length > 0) response.setHeader('Allow', methods.join(', '));
    answer(methods.length > 0 ? new DeployError('method_not_allowed') : error, request, response);
  }

  private log(error: DeployError): void {
    const cause = error.cause ?? error;
    if (cause instanceof Error) this.logger.error(cause.message, cause.stack);
    else this.logger.error(`Thrown, and not an error: ${inspect(cause)}`);
  }
}

function answer(error: DeployError, request: Request, response: Response): void {
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  const problem = problemOf(error, request.path);
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (problem.status === 429 || problem.status === 503) {
    response.setHeader('Retry-After', error.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  }
  response.status(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
}
