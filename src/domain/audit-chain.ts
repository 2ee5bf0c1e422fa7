/** The hash chain of the audit trail: each entry holds the hash of the one before, so that no past can be changed unseen. */
import type { AuditRecord } from './audit-record.js';
import { canonicalJson } from './canonical-json.js';

/** A place in the chain. */
export interface ChainLink {
  /** From 1, without gaps. */
  readonly number: number;
  /** SHA-256 in hex. */
  readonly hash: string;
}

export interface AuditEntry extends AuditRecord, ChainLink {
  readonly prev_hash: string;
}

/** What the first entry follows. */
export const CHAIN_BEGINNING: ChainLink = { number: 0, hash: '0'.repeat(64) };

/**
 * `missing`: an entry is not where its number belongs. `unlinked`: it does not follow the one before. `altered`: its content is
 * not what was hashed. `rewritten`: it is not the one that was known to stand there.
 */
export type ChainFault = 'missing' | 'unlinked' | 'altered' | 'rewritten';

export interface ChainVerdict {
  readonly valid: boolean;
  /** How many are in order, from the first one on. */
  readonly entries: number;
  /** The last one that is in order. Keep it elsewhere: it proves later that nothing up to it was rewritten. */
  readonly head: ChainLink;
  readonly broken_at?: number;
  readonly fault?: ChainFault;
}

export interface ChainExpectation {
  /** What the first entry must follow; left out: the chain may begin anywhere, as a part of it does. */
  readonly after?: ChainLink;
  /** Where it must end at least. */
  readonly until?: ChainLink;
  /** A link that was noted earlier, and must still be there. */
  readonly anchor?: ChainLink;
}

export type Sha256 = (text: string) => string;

/** What is hashed: everything but the hash itself, and the words that make an exported entry JSON-LD. */
export function entryHash(entry: AuditEntry, sha256: Sha256): string {
  const hashed = Object.entries(entry).filter(([name]) => name !== 'hash' && !name.startsWith('@'));
  return sha256(canonicalJson(Object.fromEntries(hashed)));
}

/** Reads to the end, or to the first entry that is not in order. */
export async function verifyChain(
  entries: AsyncIterable<AuditEntry> | Iterable<AuditEntry>,
  sha256: Sha256,
  { after, until, anchor }: ChainExpectation = {},
): Promise<ChainVerdict> {
  let head = after;
  let count = 0;
  const broken = (broken_at: number, fault: ChainFault): ChainVerdict => ({
    valid: false,
    entries: count,
    head: head ?? CHAIN_BEGINNING,
    broken_at,
    fault,
  });
  for await (const entry of entries) {
    const before: ChainLink = head ?? { number: entry.number - 1, hash: entry.prev_hash };
    if (entry.number !== before.number + 1) return broken(before.number + 1, 'missing');
    if (entry.prev_hash !== before.hash) return broken(entry.number, 'unlinked');
    if (entry.hash !== entryHash(entry, sha256)) return broken(entry.number, 'altered');
    if (entry.number === anchor?.number && entry.hash !== anchor.hash) return broken(entry.number, 'rewritten');
    head = { number: entry.number, hash: entry.hash };
    count += 1;
  }
  const end = head ?? CHAIN_BEGINNING;
  const expected = Math.max(until?.number ?? 0, anchor?.number ?? 0);
  if (end.number < expected) return broken(end.number + 1, 'missing');
  if (until !== undefined && end.number === until.number && end.hash !== until.hash) {
    return broken(end.number, 'rewritten');
  }
  return { valid: true, entries: count, head: end };
}
