/** The persona OPERATOR, spelt out: a token with which an agent may deploy and go back, for a month. */
import type { Scope } from '../../domain/policy.js';
import { refused, type TokenOrder } from './token-rules.js';

export const PERSONAS = ['operator'] as const;
export type Persona = (typeof PERSONAS)[number];

const OPERATOR_SCOPES: readonly Scope[] = ['read', 'deploy', 'rollback'];
const OPERATOR_DAYS = 30;

interface PersonaOrder extends Omit<TokenOrder, 'scopes'> {
  readonly persona?: Persona;
  readonly scopes?: readonly Scope[];
}

/** @throws DeployError `invalid_field`, naming the field */
export function tokenOrder({ persona, scopes, ...order }: PersonaOrder): TokenOrder {
  if (persona === undefined) {
    if (scopes === undefined) throw refused('scopes', 'is required');
    return { ...order, scopes };
  }
  if (scopes !== undefined) throw refused('scopes', `are those of the persona ${persona}: leave one of the two out`);
  if (order.agent === undefined) throw refused('agent', `is required for the persona ${persona}`);
  return { expires_in_days: OPERATOR_DAYS, ...order, scopes: OPERATOR_SCOPES };
}
