/** What a token is ordered to be, and what none can be: it would allow by one way what it forbids by another. */
import { DeployError } from '../../domain/errors.js';
import type { Scope, TokenLimits } from '../../domain/policy.js';

export interface TokenOrder extends TokenLimits {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Names or patterns of the only apps it may touch. */
  readonly apps?: readonly string[] | undefined;
  /** Name of the agent that acts with it. */
  readonly agent?: string | undefined;
  readonly expires_in_days?: number | undefined;
}

const LIMITS_OF_TOKENS = [
  'apps',
  'environments',
  'max_replicas',
  'strategies',
  'deploys_per_hour',
  'approval',
] as const;

/** @throws DeployError `invalid_field`, naming the field */
export function refuseContradiction(order: TokenOrder): void {
  const { scopes, agent } = order;
  if (scopes.includes('admin')) {
    // Whoever may make tokens can make one without limits.
    const limit = LIMITS_OF_TOKENS.find((name) => order[name] !== undefined);
    if (limit !== undefined) throw refused(limit, 'cannot restrict a token with the scope admin');
  }
  if (agent === undefined) return;
  const forbidden = scopes.find((scope) => scope === 'admin' || scope === 'approve');
  if (forbidden !== undefined) throw refused('scopes', `cannot hold ${forbidden}: the token is for an agent`);
}

export function refused(path: string, message: string): DeployError {
  return new DeployError('invalid_field', `${path} ${message}.`, { fields: [{ path, message }] });
}
