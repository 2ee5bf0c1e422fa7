/** The audit trail in memory, without its chain: for what has no database. */
import {
  AuditTrail,
  type AuditIntent,
  type AuditPage,
  type AuditRecord,
  type ChainLink,
} from '../../src/domain/ports.js';

export class MemoryAuditTrail extends AuditTrail {
  readonly records: AuditRecord[] = [];
  readonly intents = new Map<string, AuditIntent>();
  /** As if the database were away. */
  broken = false;

  override audit(record: AuditRecord): Promise<void> {
    if (this.broken) return Promise.reject(new Error('the database is away'));
    this.records.push(record);
    return Promise.resolve();
  }

  override intend(intent: AuditIntent): Promise<string> {
    if (this.broken) return Promise.reject(new Error('the database is away'));
    const key = String(this.intents.size);
    this.intents.set(key, intent);
    return Promise.resolve(key);
  }

  override settle(key: string, record: AuditRecord): Promise<void> {
    return this.intents.delete(key) ? this.audit(record) : Promise.resolve();
  }

  override settleAbandoned(): Promise<number> {
    return Promise.reject(new Error('no memory outlives its process'));
  }

  override read(): Promise<AuditPage> {
    return Promise.reject(new Error('the records are to be looked at'));
  }

  override head(): Promise<ChainLink> {
    return Promise.reject(new Error('there is no chain'));
  }
}
