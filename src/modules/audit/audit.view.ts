/** The audit trail as REST answers it. */
import type { ChainFault, ChainVerdict } from '../../domain/audit-chain.js';
import type { AuditActor, AuditEntry, AuditOutcome, ChainLink } from '../../domain/ports.js';

export class AuditActorView implements AuditActor {
  readonly kind!: AuditActor['kind'];
  readonly name!: string;
  readonly agent?: string;
  readonly token_id?: string;
  /** For whom the token said that it acts: a claim that nobody has checked. */
  readonly on_behalf_of?: string;
}

export class AuditEntryView implements AuditEntry {
  /** From 1, without gaps. */
  readonly number!: number;
  readonly at!: string;
  readonly actor!: AuditActorView;
  readonly action!: string;
  readonly target!: string;
  /** `succeeded`, `unknown`, or the code of the error. */
  readonly outcome!: AuditOutcome;
  /** Why it was refused. */
  readonly rule?: string;
  readonly address?: string;
  readonly plan_hash?: string;
  /** As the answer named it in X-Request-Id. */
  readonly request_id?: string;
  readonly prev_hash!: string;
  /** SHA-256 of everything else here, as canonical JSON (RFC 8785). */
  readonly hash!: string;
}

export class AuditListView {
  readonly entries!: AuditEntryView[];
  readonly limit!: number;
  readonly has_more!: boolean;
  /** Give it back as `cursor` to read on. */
  readonly next_cursor!: string;
}

export class ChainLinkView implements ChainLink {
  readonly number!: number;
  readonly hash!: string;
}

export class AuditVerdictView implements ChainVerdict {
  readonly valid!: boolean;
  /** How many are in order, from the first one on. */
  readonly entries!: number;
  /** The last one in order. Keep it elsewhere, and send it as `anchor` later. */
  readonly head!: ChainLinkView;
  /** Number of the first entry that is not in order. */
  readonly broken_at?: number;
  readonly fault?: ChainFault;
}
