/** Reads the audit trail page by page, to its end, and proves that it is whole. */
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CHAIN_BEGINNING, verifyChain, type ChainVerdict } from '../../domain/audit-chain.js';
import { AuditTrail, type AuditEntry, type AuditFilter, type AuditPage, type ChainLink } from '../../domain/ports.js';

const PAGE_ENTRIES = 1_000;

@Injectable()
export class AuditReader {
  constructor(private readonly trail: AuditTrail) {}

  page(filter: AuditFilter, limit: number, cursor: string | undefined): Promise<AuditPage> {
    return this.trail.read(filter, { limit, cursor });
  }

  /** Everything that matches after the cursor, or the first so many of it. */
  async *entries(filter: AuditFilter, cursor?: string, most = Infinity): AsyncGenerator<AuditEntry> {
    for (let left = most, after = cursor; left > 0;) {
      const page = await this.page(filter, Math.min(left, PAGE_ENTRIES), after);
      yield* page.entries;
      if (!page.has_more) return;
      left -= page.entries.length;
      after = page.next_cursor;
    }
  }

  /** The whole chain, from its beginning to where the store says that it ends. */
  async verify(anchor: ChainLink | undefined): Promise<ChainVerdict> {
    const until = await this.trail.head();
    return verifyChain(this.entries({}), sha256, { after: CHAIN_BEGINNING, until, ...(anchor && { anchor }) });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
