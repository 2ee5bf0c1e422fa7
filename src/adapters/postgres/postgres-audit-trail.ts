/** The audit trail in PostgreSQL, whose triggers number and chain the rows and refuse every other change of them. */
import { ulid } from 'ulid';
import { cleanRecord } from '../../domain/audit-record.js';
import { decodeCursor, encodeCursor } from '../../domain/cursor.js';
import { DeployError } from '../../domain/errors.js';
import {
  AuditTrail,
  type AuditActor,
  type AuditEntry,
  type AuditFilter,
  type AuditIntent,
  type AuditOutcome,
  type AuditPage,
  type AuditRecord,
  type ChainLink,
} from '../../domain/ports.js';
import type { Database } from './database.js';

/** The database adds number and hashes. */
const WRITTEN = 'at, actor, action, target, outcome, rule, address, plan_hash, request_id';
export const APPEND_AUDIT = `insert into audit (${WRITTEN}) select ${WRITTEN} from jsonb_populate_record(null::audit, $1)`;

interface AuditRow {
  readonly number: string;
  readonly at: Date;
  readonly actor: AuditActor;
  readonly action: string;
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly rule: string | null;
  readonly address: string | null;
  readonly plan_hash: string | null;
  readonly request_id: string | null;
  readonly prev_hash: string;
  readonly hash: string;
}

export class PostgresAuditTrail extends AuditTrail {
  constructor(private readonly database: Database) {
    super();
  }

  override async audit(record: AuditRecord): Promise<void> {
    await this.database.query(APPEND_AUDIT, [JSON.stringify(cleanRecord(record))]);
  }

  override async intend(intent: AuditIntent): Promise<string> {
    const key = ulid().toLowerCase();
    const record = JSON.stringify(cleanRecord(intent));
    await this.database.query('insert into audit_intents (key, record) values ($1, $2)', [key, record]);
    return key;
  }

  override async settle(key: string, record: AuditRecord): Promise<void> {
    await this.database.query(
      `with settled as (delete from audit_intents where key = $2 returning 1)
       ${APPEND_AUDIT} where exists (select 1 from settled)`,
      [JSON.stringify(cleanRecord(record)), key],
    );
  }

  override async settleAbandoned(ageMs: number): Promise<number> {
    const settled = await this.database.query(
      `with abandoned as (
         delete from audit_intents where begun_at < now() - $1 * interval '1 millisecond' returning key, record
       )
       insert into audit (${WRITTEN})
       select ${WRITTEN} from abandoned, jsonb_populate_record(null::audit, record || '{"outcome": "unknown"}') order by key
       returning 1`,
      [ageMs],
    );
    return settled.length;
  }

  override async read(
    { actor, agent, action, target, outcome, since, until }: AuditFilter,
    { limit, cursor }: { limit: number; cursor?: string | undefined },
  ): Promise<AuditPage> {
    const epoch = await this.database.installation();
    const after = cursor === undefined ? 0 : positionOf(cursor, epoch);
    const rows = await this.database.query<AuditRow>(
      `select * from audit where number > $1
         and ($2::text is null or actor ->> 'name' = $2 or actor ->> 'token_id' = $2)
         and ($3::text is null or actor ->> 'agent' = $3)
         and ($4::text is null or action = $4)
         and ($5::text is null or target = $5)
         and ($6::text is null or outcome = $6)
         and ($7::timestamptz is null or at >= $7)
         and ($8::timestamptz is null or at < $8)
       order by number limit $9`,
      [after, actor, agent, action, target, outcome, since, until, limit + 1],
    );
    const entries = rows.slice(0, limit).map(toEntry);
    const position = entries.at(-1)?.number ?? after;
    return { entries, has_more: rows.length > limit, next_cursor: encodeCursor({ epoch, position }) };
  }

  override async head(): Promise<ChainLink> {
    const [head] = await this.database.query<{ number: string; hash: string }>('select number, hash from audit_head');
    if (head === undefined) throw new Error('the audit trail has no head');
    return { number: Number(head.number), hash: head.hash };
  }
}

/** A cursor of another installation points into another history. */
function positionOf(cursor: string, ours: string): number {
  const { epoch, position } = decodeCursor(cursor);
  if (epoch !== ours) throw new DeployError('cursor_invalid');
  return position;
}

function toEntry({ number, at, rule, address, plan_hash, request_id, ...row }: AuditRow): AuditEntry {
  return {
    ...row,
    number: Number(number),
    at: at.toISOString(),
    ...(rule !== null && { rule }),
    ...(address !== null && { address }),
    ...(plan_hash !== null && { plan_hash }),
    ...(request_id !== null && { request_id }),
  };
}
