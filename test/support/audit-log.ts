/** What the audit trail has got since a moment: it cannot be emptied between two tests. */
import { PostgresAuditTrail } from '../../src/adapters/postgres/postgres-audit-trail.js';
import type { Database } from '../../src/adapters/postgres/database.js';
import type { AuditEntry } from '../../src/domain/ports.js';

export class AuditLog {
  #seen = 0;
  readonly trail: PostgresAuditTrail;

  constructor(database: Database) {
    this.trail = new PostgresAuditTrail(database);
  }

  /** From here on. */
  async begin(): Promise<void> {
    this.#seen = (await this.trail.head()).number;
  }

  async entries(): Promise<AuditEntry[]> {
    const { entries } = await this.trail.read({}, { limit: 10_000 });
    return entries.filter(({ number }) => number > this.#seen);
  }

  /** `who action target outcome`, a line each. */
  async lines(): Promise<string[]> {
    return (await this.entries()).map(
      ({ actor, action, target, outcome }) => `${actor.name} ${action} ${target} ${outcome}`,
    );
  }
}
