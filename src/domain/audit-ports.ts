/** The port to the audit trail: whichever door a change comes through, it is recorded here. */
import type { AuditEntry, ChainLink } from './audit-chain.js';
import type { AuditIntent, AuditRecord } from './audit-record.js';

export type { AuditActor, AuditIntent, AuditOutcome, AuditRecord } from './audit-record.js';
export type { AuditEntry, ChainLink } from './audit-chain.js';

export interface AuditFilter {
  /** Name of the actor, or the id of its token. */
  readonly actor?: string;
  readonly agent?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: string;
  /** ISO times: from the first, before the second. */
  readonly since?: string;
  readonly until?: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly has_more: boolean;
  /** Where the next page begins: after the last entry of this one. */
  readonly next_cursor: string;
}

/** Append-only. What is written is made printable, bounded and masked on the way. */
export abstract class AuditTrail {
  /** Appends what is over: a refusal, or a change that no request has asked for. */
  abstract audit(record: AuditRecord): Promise<void>;
  /** Notes durably what is about to be done, and answers the key to `settle` it with. Without this note it must not be done. */
  abstract intend(intent: AuditIntent): Promise<string>;
  /** Appends how it ended, in the place of the note. Does nothing when `settleAbandoned` came first. */
  abstract settle(key: string, record: AuditRecord): Promise<void>;
  /** Appends notes that are older than this with the outcome `unknown`: whoever made them has died. Answers how many. */
  abstract settleAbandoned(ageMs: number): Promise<number>;
  /** In the order of the chain, oldest first. @throws DeployError `cursor_invalid` */
  abstract read(filter: AuditFilter, page: { limit: number; cursor?: string | undefined }): Promise<AuditPage>;
  /** The last link of the chain, as the store has it. */
  abstract head(): Promise<ChainLink>;
}
