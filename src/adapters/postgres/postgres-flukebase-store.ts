/** How far FlukeBase has been told, in PostgreSQL: places in the log, with leases; and the look-ups of who delivers. */
import { FRESH_LANE, type LaneChannel, type LaneState } from '../../domain/flukebase-lane.js';
import {
  FlukeBaseStore,
  type Backfilled,
  type DeadLetter,
  type DeadLetterRecord,
  type DeploymentNow,
  type FlukeBaseStanding,
  type LaneClaim,
  type LaneNext,
  type UpstreamReport,
} from '../../domain/flukebase-ports.js';
import type { LogRow } from '../../domain/log-entry.js';
import type { Database } from './database.js';
import { ENTRY_COLUMNS, toLogRow, type EntryRow } from './entry-rows.js';
import { backfillLanes, flukeBaseStanding, insertLetters, letterRecords, replayLetter } from './flukebase-rows.js';

const NOW = 'clock_timestamp()';
const after = (parameter: string): string => `${NOW} + ${parameter}::float8 * interval '1 millisecond'`;

interface LaneRow {
  readonly id: string;
  readonly deployment_id: string;
  readonly channel: LaneChannel;
  readonly head: number;
  readonly done: number;
  readonly state: Partial<LaneState>;
  /** bigint, which comes as text. */
  readonly fence: string;
}

export class PostgresFlukeBaseStore extends FlukeBaseStore {
  constructor(
    private readonly database: Database,
    /** Days after which what was told or given up is forgotten. */
    private readonly retentionDays: number,
  ) {
    super();
  }

  override async begin(): Promise<void> {
    await this.database.query(
      'insert into flukebase_feed (position) select head from stream on conflict (single) do nothing',
    );
  }

  /** Positions have no gap and are in the order of commits: what is behind the place in the feed has not been seen, and nothing else. */
  override discover(limit: number): Promise<boolean> {
    return this.database.transaction(async (client) => {
      const { rows: feeds } = await client.query<{ position: string }>(
        'select position from flukebase_feed for update skip locked',
      );
      if (feeds[0] === undefined) return false;
      const { rows } = await client.query<{ seen: number; until: string | null }>(
        `with page as (
           select deployment_id, sequence, position, fact is not null as is_fact from entries
           where position > $1 order by position limit $2),
         fresh as (
           select deployment_id, 'log' as channel, max(sequence) as head from page group by deployment_id
           union all
           select deployment_id, 'task', max(sequence) from page where is_fact group by deployment_id),
         lanes as (
           insert into flukebase_lanes (id, deployment_id, channel, head, due_at)
           select deployment_id || '/' || channel, deployment_id, channel, head, ${NOW} from fresh order by 1
           on conflict (id) do update set head = greatest(flukebase_lanes.head, excluded.head),
             due_at = coalesce(flukebase_lanes.due_at, excluded.due_at))
         select count(*)::int as seen, max(position)::text as until from page`,
        [feeds[0].position, limit],
      );
      const [{ seen, until } = { seen: 0, until: null }] = rows;
      if (until !== null) await client.query('update flukebase_feed set position = $1', [until]);
      return seen === limit;
    });
  }

  override async claim(leaseMs: number, withBackfill: boolean): Promise<LaneClaim | undefined> {
    const [row] = await this.database.query<LaneRow>(
      `update flukebase_lanes set lease_until = ${after('$1')}, fence = fence + 1
       where id = (
         select id from flukebase_lanes
         where due_at <= ${NOW} and (lease_until is null or lease_until < ${NOW}) and (not backfill or $2)
         order by backfill, due_at limit 1 for update skip locked
       ) returning id, deployment_id, channel, head, done, state, fence`,
      [leaseMs, withBackfill],
    );
    if (row === undefined) return undefined;
    const { state, done, fence, ...lane } = row;
    return { ...lane, fence: Number(fence), state: { ...FRESH_LANE, ...state, done } };
  }

  override async save(
    claim: LaneClaim,
    state: LaneState,
    next: LaneNext,
    letters: readonly DeadLetter[] = [],
  ): Promise<boolean> {
    const { done, ...kept } = state;
    const update = `update flukebase_lanes set done = $3, state = $4, touched_at = ${NOW},
        lease_until = case when $5 = 'keep' then ${after('$6')} end,
        due_at = case $5 when 'keep' then due_at when 'wait' then ${after('$7')} else case when head > $3 then ${NOW} end end
      where id = $1 and fence = $2 and lease_until is not null returning due_at`;
    const values = [
      claim.id,
      claim.fence,
      done,
      JSON.stringify(kept),
      next.kind,
      next.kind === 'keep' ? next.lease_ms : 0,
      next.kind === 'wait' ? next.ms : 0,
    ];
    // By far the most often: one statement needs no transaction around it.
    if (letters.length === 0 && claim.channel !== 'replay') {
      return (await this.database.query(update, values)).length > 0;
    }
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<{ due_at: Date | null }>(update, values);
      if (rows[0] === undefined) return false;
      await insertLetters(client, claim.deployment_id, letters);
      if (claim.channel === 'replay' && rows[0].due_at === null) {
        await client.query('delete from flukebase_lanes where id = $1', [claim.id]);
      }
      return true;
    });
  }

  override async release({ id, fence }: LaneClaim): Promise<boolean> {
    const released = await this.database.query(
      `update flukebase_lanes set lease_until = null, due_at = ${NOW}
       where id = $1 and fence = $2 and lease_until is not null returning id`,
      [id, fence],
    );
    return released.length > 0;
  }

  override async entries(deploymentId: string, behind: number, until: number, limit: number): Promise<LogRow[]> {
    const rows = await this.database.query<EntryRow & { epoch: string }>(
      `select ${ENTRY_COLUMNS}, (select epoch from stream) as epoch from entries
       where deployment_id = $1 and sequence > $2 and sequence <= $3 order by sequence limit $4`,
      [deploymentId, behind, until, limit],
    );
    return rows.map((row) => toLogRow(row, row.epoch));
  }

  override async deployment(id: string): Promise<DeploymentNow | undefined> {
    const [row] = await this.database.query<DeploymentNow>('select state, sequence from deployments where id = $1', [
      id,
    ]);
    return row;
  }

  override async hurry(): Promise<void> {
    await this.database.query(
      `update flukebase_lanes set due_at = ${NOW}
       where due_at > ${NOW} and lease_until is null and state ? 'last_error'`,
    );
  }

  override async tell(report: UpstreamReport): Promise<void> {
    await this.database.query(`update flukebase_feed set upstream = $1, told_at = ${NOW}`, [JSON.stringify(report)]);
  }

  override async upstream(): Promise<UpstreamReport | undefined> {
    const [row] = await this.database.query<{ upstream: UpstreamReport }>('select upstream from flukebase_feed');
    return row?.upstream;
  }

  override standing(): Promise<FlukeBaseStanding> {
    return flukeBaseStanding(this.database);
  }

  override deadLetters(limit: number, before?: string): Promise<DeadLetterRecord[]> {
    return letterRecords(this.database, limit, before);
  }

  override replay(letterId: string): Promise<boolean> {
    return this.database.transaction((client) => replayLetter(client, letterId));
  }

  override async discard(letterId: string): Promise<boolean> {
    const gone = await this.database.query('delete from flukebase_dead_letters where id = $1 returning id', [letterId]);
    return gone.length > 0;
  }

  override backfill(window: { since: string; until: string }, limit: number, cursor?: string): Promise<Backfilled> {
    return backfillLanes(this.database, window, limit, cursor);
  }

  override async prune(): Promise<void> {
    const outlived = (column: string): string => `${column} < ${NOW} - $1::int * interval '1 day'`;
    await this.database.query(`delete from flukebase_lanes where due_at is null and ${outlived('touched_at')}`, [
      this.retentionDays,
    ]);
    await this.database.query(`delete from flukebase_dead_letters where ${outlived('died_at')}`, [this.retentionDays]);
  }
}
