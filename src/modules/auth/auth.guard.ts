/** Lets a request through only if its route has a policy and its credentials meet it. */
import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { DeployError } from '../../domain/errors.js';
import type { Principal } from '../../domain/ports.js';
import { isChange, isUnaudited } from './audited.js';
import { AuthService } from './auth.service.js';
import { policyOf, requireApp, requireScope, requireUnfrozen, type ScopePolicy } from './policy.js';
import { approvalOf, onBehalfOf } from './request-claims.js';

const BEARER = /^Bearer +(\S+)$/i;

interface AuthenticatedRequest extends Request {
  principal?: Principal;
}

@Injectable()
export class AuthGuard implements CanActivate {
  private readonly logger = new Logger(AuthGuard.name);

  constructor(
    private readonly reflector: Reflector,
    private readonly auth: AuthService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // WebSocket gateways authenticate when the connection is made.
    if (context.getType() !== 'http') return true;

    const handler = context.getHandler() as () => unknown;
    const policy = policyOf(this.reflector, handler, context.getClass());
    if (policy === undefined) {
      this.logger.error(`${context.getClass().name}.${context.getHandler().name} has no policy, so it is not served.`);
      throw new DeployError('internal');
    }
    if ('public' in policy) return true;

    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = tokenOf(request);
    const principal = token === undefined ? undefined : await this.auth.authenticateToken(token);
    if (principal === undefined) throw new DeployError('unauthenticated');
    // Before it may be refused: a refusal is told along with who it met.
    request.principal = principal;
    request.principal = withClaims(principal, request);
    const changes = isChange(request.method) && !isUnaudited(this.reflector, handler);
    requirePolicy(request.principal, policy, request, changes);
    return true;
  }
}

/** Whose credentials the request has shown, as soon as that is known. */
export function principalOf(request: Request): Principal | undefined {
  return (request as AuthenticatedRequest).principal;
}

/** Who makes the request. Only on routes with a `@Policy`. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<Request>());
  if (principal === undefined) throw new Error('A public route has no principal.');
  return principal;
});

/** What the request says beside its credentials. */
function withClaims({ actor, ...principal }: Principal, request: Request): Principal {
  const on_behalf_of = onBehalfOf(request);
  const approval_id = approvalOf(request);
  // An administrator acts for nobody else, and waits for nobody.
  if (principal.token_id === undefined) return { actor, ...principal };
  return {
    actor: { ...actor, ...(on_behalf_of !== undefined && { on_behalf_of }) },
    ...principal,
    ...(approval_id !== undefined && { approval_id }),
  };
}

/** @param changes whether the route changes anything: a frozen agent may still look, and ask what would be */
function requirePolicy(principal: Principal, { scope, app }: ScopePolicy, { params }: Request, changes: boolean): void {
  if (scope !== 'any') requireScope(principal, scope);
  if (scope !== 'any' && scope !== 'read' && changes) requireUnfrozen(principal);
  if (app === undefined) return;
  const name = params[app];
  if (typeof name !== 'string') throw new DeployError('app_not_found');
  requireApp(principal, name);
}

/** The credentials of a request. CapRover's clients send their session in a header of their own. */
export function tokenOf({ headers }: Pick<Request, 'headers'>): string | undefined {
  if (headers.authorization !== undefined) return BEARER.exec(headers.authorization)?.[1];
  const session = headers['x-captain-auth'];
  return typeof session === 'string' ? session : undefined;
}
