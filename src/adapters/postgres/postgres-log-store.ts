/** The log in PostgreSQL: appends under the fence, reads along the stream. */
import { decodeCursor, encodeCursor } from '../../domain/cursor.js';
import { decide } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { LogStore, type Append, type Appended, type LogFilter, type LogPage } from '../../domain/ports.js';
import type { Database } from './database.js';
import { appendItems, lockDeployment } from './deployment-log.js';
import { ENTRY_COLUMNS, filterConditions, toLogRow, type EntryRow } from './entry-rows.js';

interface StreamState {
  epoch: string;
  head: number;
  floor: number;
}

export class PostgresLogStore extends LogStore {
  /** `instance` names this process in the entries it writes. */
  constructor(
    private readonly database: Database,
    private readonly instance: string,
  ) {
    super();
  }

  async append(append: Append): Promise<Appended | undefined> {
    return this.database.transaction(async (client) => {
      const row = await lockDeployment(client, append.deployment_id);
      if (row === undefined) throw new DeployError('deployment_not_found');
      if (append.fence !== undefined && !(row.claimed && append.fence === row.fence)) return undefined;
      const { batch, items, release } = append;
      if (batch !== undefined && batch <= row.batch) return { rows: [], state: row.state, decision: decide(row.state) };
      const change = { ...(batch !== undefined && { batch }), ...(release && { lease: null }) };
      return appendItems(client, row, items, this.instance, change);
    });
  }

  async read(after: string, filter: LogFilter, limit: number): Promise<LogPage> {
    const stream = await this.#stream();
    const { position, gap } = placeOf(after, stream);
    const values: unknown[] = [position, stream.head];
    const conditions = ['position > $1', 'position <= $2', ...filterConditions(filter, values)];
    const entries = await this.database.query<EntryRow>(
      `select ${ENTRY_COLUMNS} from entries where ${conditions.join(' and ')} order by ${orderOf(filter)} limit $${values.push(limit)}`,
      values,
    );
    return { ...page(entries, limit, stream), ...(gap && { gap }) };
  }

  async tail(filter: LogFilter, limit: number): Promise<LogPage> {
    const stream = await this.#stream();
    const values: unknown[] = [stream.floor, stream.head];
    const conditions = ['position > $1', 'position <= $2', ...filterConditions(filter, values)];
    const entries = await this.database.query<EntryRow>(
      `select ${ENTRY_COLUMNS} from entries where ${conditions.join(' and ')} order by ${orderOf(filter)} desc limit $${values.push(limit)}`,
      values,
    );
    const { epoch, head } = stream;
    const rows = entries.reverse().map((entry) => toLogRow(entry, epoch));
    return { rows, next_cursor: encodeCursor({ epoch, position: head }) };
  }

  async query(
    filter: LogFilter & { since?: string },
    { limit, offset, cursor }: { limit: number; offset: number; cursor?: string },
  ): Promise<LogPage & { total: number; total_capped: boolean }> {
    const stream = await this.#stream();
    const place = cursor === undefined ? { position: stream.floor } : placeOf(cursor, stream);
    const since = filter.since === undefined ? place.position : await this.#positionBefore(filter.since, stream);
    const after = Math.max(place.position, since);
    const values: unknown[] = [after, stream.head];
    const ofFilter = filterConditions(filter, values);
    const conditions = ['position > $1', 'position <= $2', ...ofFilter].join(' and ');
    const [entries, counted] = await Promise.all([
      this.database.query<EntryRow>(
        `select ${ENTRY_COLUMNS} from entries where ${conditions} order by ${orderOf(filter)}
         limit $${values.length + 1} offset $${values.length + 2}`,
        [...values, limit, offset],
      ),
      // Positions have no gap: where nothing is filtered, counting is subtracting.
      ofFilter.length === 0 ? Math.max(0, stream.head - after) : this.#count(conditions, values),
    ]);
    const total_capped = counted > LIMITS.counted_entries;
    const { gap } = 'gap' in place ? place : {};
    return {
      ...page(entries, limit, stream),
      total: total_capped ? LIMITS.counted_entries : counted,
      total_capped,
      ...(gap && { gap }),
    };
  }

  /** Stops one beyond the limit. */
  async #count(conditions: string, values: readonly unknown[]): Promise<number> {
    const rows = await this.database.query<{ total: string }>(
      `select count(*)::text as total from (select 1 from entries where ${conditions} limit ${LIMITS.counted_entries + 1}) as counted`,
      [...values],
    );
    return Number(rows[0]?.total ?? 0);
  }

  async bounds(): Promise<{ beginning: string; head: string }> {
    const { epoch, floor, head } = await this.#stream();
    return { beginning: encodeCursor({ epoch, position: floor }), head: encodeCursor({ epoch, position: head }) };
  }

  async #stream(): Promise<StreamState> {
    const rows = await this.database.query<{ epoch: string; head: string; floor: string }>(
      'select epoch, head::text, floor::text from stream',
    );
    const row = rows[0];
    if (row === undefined) throw new Error('the stream has no row');
    return { epoch: row.epoch, head: Number(row.head), floor: Number(row.floor) };
  }

  /** Times rise along the stream, so a point in time is a position. */
  async #positionBefore(since: string, stream: StreamState): Promise<number> {
    const rows = await this.database.query<{ position: string }>(
      'select position::text from entries where at >= $1 order by at, entries.position limit 1',
      [since],
    );
    return rows[0] ? Number(rows[0].position) - 1 : stream.head;
  }
}

/**
 * Within one deployment the sequence is the stream's order, and has the better index. The table's name is needed: alone,
 * `position` would mean the column of the result, which is text.
 */
function orderOf(filter: LogFilter): string {
  return filter.deployment_id ? 'sequence' : 'entries.position';
}

function placeOf(cursor: string, stream: StreamState): { position: number; gap?: { from: string; to: string } } {
  const { epoch, position } = decodeCursor(cursor);
  if (epoch === stream.epoch && position >= stream.floor && position <= stream.head) return { position };
  const to = encodeCursor({ epoch: stream.epoch, position: stream.floor });
  return { position: stream.floor, gap: { from: cursor, to } };
}

/** A full page ends at its last row; a page with room has looked at everything up to the head. */
function page(entries: readonly EntryRow[], limit: number, { epoch, head }: StreamState): LogPage {
  const rows = entries.map((entry) => toLogRow(entry, epoch));
  const last = rows.at(-1);
  return { rows, next_cursor: rows.length === limit && last ? last.cursor : encodeCursor({ epoch, position: head }) };
}
