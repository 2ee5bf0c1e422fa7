/** What a route asks of its caller, before `domain/policy.ts` judges what exactly is asked for. Every route says so with one of the two decorators; one that does not is never served. */
import { applyDecorators, SetMetadata, type Type } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ApiBearerAuth, ApiHeader } from '@nestjs/swagger';
import { DeployError } from '../../domain/errors.js';
import type { Principal } from '../../domain/ports.js';
import { matchesPattern } from '../../domain/app-pattern.js';
import { type Scope, SCOPES } from '../../domain/policy.js';

export { type Scope, SCOPES };

export interface ScopePolicy {
  /** `any`: whoever has valid credentials. */
  readonly scope: Scope | 'any';
  /** The route parameter that holds an app's name. Routes that learn the app in another way call `requireApp`. */
  readonly app?: string;
}
export interface PublicPolicy {
  /** Why nobody needs credentials here. */
  readonly public: string;
}
export type RoutePolicy = ScopePolicy | PublicPolicy;

const ROUTE_POLICY = 'flukedeploy:policy';

const CLAIMS = [
  ApiHeader({ name: 'X-On-Behalf-Of', required: false, description: 'For whom, for the log and the audit trail.' }),
  ApiHeader({
    name: 'Approval',
    required: false,
    description: 'Id of the approval; without it, it is found by itself.',
  }),
];

export const Policy = (policy: ScopePolicy): MethodDecorator & ClassDecorator => {
  const claims = ['any', 'read'].includes(policy.scope) ? [] : CLAIMS;
  return applyDecorators(SetMetadata(ROUTE_POLICY, policy), ApiBearerAuth(), ...claims);
};

export const Public = (reason: string): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_POLICY, { public: reason } satisfies PublicPolicy);

/** The policy of a handler, else that of its controller. */
export function policyOf(reflector: Reflector, handler: () => unknown, controller: Type): RoutePolicy | undefined {
  return reflector.getAllAndOverride<RoutePolicy | undefined>(ROUTE_POLICY, [handler, controller]);
}

/** @throws DeployError `forbidden`, naming the scope */
export function requireScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.includes(scope)) return;
  throw new DeployError('forbidden', `This needs the scope ${scope}; the token has ${principal.scopes.join(', ')}.`);
}

/** @throws DeployError `agents_frozen` */
export function requireUnfrozen({ frozen }: Principal): void {
  if (frozen === undefined) return;
  const message = `All agents are frozen since ${frozen.at}: ${frozen.reason}`;
  throw new DeployError('agents_frozen', message, { policy: { rule: 'agents_frozen' } });
}

export function mayUseApp(principal: Principal, appName: string): boolean {
  return principal.apps?.some((pattern) => matchesPattern(appName, pattern)) ?? true;
}

/**
 * Answers for an app of others exactly what is answered for one that does not exist.
 * @throws DeployError the code given, with its own title as message
 */
export function requireApp(
  principal: Principal,
  appName: string,
  code: 'app_not_found' | 'deployment_not_found' = 'app_not_found',
): void {
  if (!mayUseApp(principal, appName)) throw new DeployError(code);
}
