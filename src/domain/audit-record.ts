/** What the audit trail says of one change or one refusal: who, what, when, with which outcome, and never a secret. */
import type { Actor } from './deployment.js';
import { errorRow, type ErrorCode } from './errors.js';
import { createMasker } from './masking.js';
import { printable } from './printable-text.js';

export const AUDIT_ACTOR_KINDS = ['admin', 'token', 'system', 'anonymous'] as const;

/** `anonymous`: nobody whose credentials are known. */
export interface AuditActor {
  readonly kind: Actor['kind'] | 'anonymous';
  readonly name: string;
  readonly agent?: string;
  readonly token_id?: string;
  /** For whom the token says that it acts. A claim: nobody has checked it. */
  readonly on_behalf_of?: string;
}

/** `unknown`: it was begun, and nobody has seen its end. */
export type AuditOutcome = 'succeeded' | 'unknown' | ErrorCode;

/** What somebody is about to do. */
export interface AuditIntent {
  /** ISO 8601. */
  readonly at: string;
  readonly actor: AuditActor;
  /** Such as `app.scale`; names never change their meaning. */
  readonly action: string;
  /** What it is done to, such as an app, a deployment or a token. */
  readonly target: string;
  /** Address of the client. */
  readonly address?: string;
  readonly plan_hash?: string;
  readonly request_id?: string;
}

/** What somebody did, or was not allowed to do. */
export interface AuditRecord extends AuditIntent {
  readonly outcome: AuditOutcome;
  /** Why it was refused, or the approval that has allowed it. */
  readonly rule?: string;
}

/** HTTP statuses that say: not you, not this, not now. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([401, 403, 429]);

/** The action of a refused look at something: nothing would have been changed. */
export const LOOK = 'read';

/** Whether somebody was kept from something, rather than having asked for nonsense. */
export function isRefusal(code: ErrorCode): boolean {
  return REFUSALS.has(errorRow(code).http);
}

const MASKER = createMasker([]);
/** Longer texts are not what a record is for; they would let a stranger fill the disk. */
const LONGEST = { action: 100, target: 200, rule: 300, plan_hash: 128, name: 200, address: 64 } as const;

/** The record as it may be stored for ever: bounded, printable, and masked where a secret was sent in the place of a name. */
export function cleanRecord<Record extends AuditIntent | AuditRecord>(record: Record): Record {
  const { actor, address, plan_hash } = record;
  const rule = 'rule' in record ? record.rule : undefined;
  return {
    ...record,
    action: text(record.action, LONGEST.action),
    target: text(record.target, LONGEST.target),
    actor: {
      ...actor,
      name: text(actor.name, LONGEST.name),
      ...(actor.agent !== undefined && { agent: text(actor.agent, LONGEST.name) }),
      ...(actor.on_behalf_of !== undefined && { on_behalf_of: text(actor.on_behalf_of, LONGEST.name) }),
    },
    ...(address !== undefined && { address: text(address, LONGEST.address) }),
    ...(plan_hash !== undefined && { plan_hash: text(plan_hash, LONGEST.plan_hash) }),
    ...(rule !== undefined && { rule: text(rule, LONGEST.rule) }),
  };
}

/** Cleaned first: a colour code inside a secret must not hide it from the masker. */
function text(value: string, longest: number): string {
  return MASKER.mask(printable(value)).slice(0, longest).toWellFormed();
}
