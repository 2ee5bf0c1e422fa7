/** What is asked of the lanes and dead letters of FlukeBase by people: how it stands, what was given up, and history. */
import { ulid } from 'ulid';
import type {
  Backfilled,
  DeadLetter,
  DeadLetterRecord,
  FlukeBaseStanding,
  UpstreamReport,
} from '../../domain/flukebase-ports.js';
import type { Client, Database } from './database.js';

/** Adjoining ones that died of the same are one, so that a FlukeBase that takes nothing at all fills no disk. */
export async function insertLetters(
  client: Client,
  deploymentId: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  for (const { kind, first_sequence, last_sequence, error } of letters) {
    const { rowCount } = await client.query(
      `update flukebase_dead_letters set last_sequence = $4, died_at = clock_timestamp()
       where deployment_id = $1 and kind = $2 and last_sequence = $3 - 1 and error = $5`,
      [deploymentId, kind, first_sequence, last_sequence, error],
    );
    if (rowCount !== null && rowCount > 0) continue;
    await client.query(
      `insert into flukebase_dead_letters (id, deployment_id, kind, first_sequence, last_sequence, error)
       values ($1, $2, $3, $4, $5, $6)`,
      [`fdl-${ulid().toLowerCase()}`, deploymentId, kind, first_sequence, last_sequence, error],
    );
  }
}

interface LetterRow extends Omit<DeadLetterRecord, 'died_at'> {
  readonly died_at: Date;
}

export async function letterRecords(
  database: Database,
  limit: number,
  before: string | undefined,
): Promise<DeadLetterRecord[]> {
  const rows = await database.query<LetterRow>(
    `select id, deployment_id, kind, first_sequence, last_sequence, error, died_at from flukebase_dead_letters
     where $2::text is null or (died_at, id) < (select died_at, id from flukebase_dead_letters where id = $2)
     order by died_at desc, id desc limit $1`,
    [limit, before ?? null],
  );
  return rows.map((row) => ({ ...row, died_at: row.died_at.toISOString() }));
}

/** Entries get a lane of their own. A summary or a task is told anew as it is now: whoever holds its lane loses it. */
export async function replayLetter(client: Client, id: string): Promise<boolean> {
  const { rows } = await client.query<LetterRow>('delete from flukebase_dead_letters where id = $1 returning *', [id]);
  const [letter] = rows;
  if (letter === undefined) return false;
  const { deployment_id, kind, first_sequence, last_sequence } = letter;
  if (kind === 'log') {
    await client.query(
      `insert into flukebase_lanes (id, deployment_id, channel, done, head, due_at)
       values ($1 || '/replay/' || $2, $1, 'replay', $3, $4, clock_timestamp())`,
      [deployment_id, id, first_sequence - 1, last_sequence],
    );
    return true;
  }
  await client.query(
    `insert into flukebase_lanes (id, deployment_id, channel, done, head, due_at)
     select id || '/' || $2, id, $2, sequence, sequence, clock_timestamp() from deployments where id = $1
     on conflict (id) do update set state = flukebase_lanes.state - 'digest', due_at = clock_timestamp(),
       lease_until = null, fence = flukebase_lanes.fence + 1`,
    [deployment_id, kind === 'task' ? 'task' : 'log'],
  );
  return true;
}

export async function flukeBaseStanding(database: Database): Promise<FlukeBaseStanding> {
  const [row] = await database.query<{
    waiting: number;
    lag_seconds: number;
    dead: number;
    upstream: UpstreamReport | null;
    last_error: string | null;
  }>(
    `with unseen as (select greatest(0, stream.head - feed.position) as entries, feed.position from stream, flukebase_feed feed),
     waiting as (
       select deployment_id, done, head from flukebase_lanes where due_at is not null and channel <> 'task' and head > done),
     oldest as (
       (select at from entries where position > (select position from unseen) order by position limit 1)
       union all
       select first.at from waiting cross join lateral (
         select at from entries where deployment_id = waiting.deployment_id and sequence > waiting.done
         order by sequence limit 1) first)
     select (coalesce((select sum(head - done) from waiting), 0) + coalesce((select entries from unseen), 0))::float8 as waiting,
       coalesce(extract(epoch from clock_timestamp() - (select min(at) from oldest)), 0)::float8 as lag_seconds,
       (select count(*)::int from flukebase_dead_letters) as dead,
       (select upstream from flukebase_feed) as upstream,
       (select state ->> 'last_error' from flukebase_lanes where due_at is not null and state ? 'last_error'
        order by touched_at desc limit 1) as last_error`,
  );
  if (row === undefined) throw new Error('the database says nothing of FlukeBase');
  const { waiting, lag_seconds, dead, upstream, last_error } = row;
  return {
    waiting,
    lag_seconds: Math.max(0, Math.round(lag_seconds * 1000) / 1000),
    dead,
    upstream: upstream ?? { breaker: 'closed' },
    ...(last_error !== null && { last_error }),
  };
}

/** What has a lane is left alone, so that the same window again queues nothing twice. */
export async function backfillLanes(
  database: Database,
  { since, until }: { since: string; until: string },
  limit: number,
  cursor: string | undefined,
): Promise<Backfilled> {
  const [row] = await database.query<{ deployments: number; queued: number; last: string | null }>(
    `with page as (
       select id, created_at, sequence from deployments
       where created_at >= $1 and created_at < $2
         and ($4::text is null or (created_at, id) > (select created_at, id from deployments where id = $4))
       order by created_at, id limit $3),
     lanes as (
       insert into flukebase_lanes (id, deployment_id, channel, backfill, head, due_at)
       select id || '/log', id, 'log', true, sequence, clock_timestamp() from page order by id
       on conflict (id) do nothing returning id)
     select (select count(*)::int from page) as deployments, (select count(*)::int from lanes) as queued,
       (select id from page order by created_at desc, id desc limit 1) as last`,
    [since, until, limit, cursor ?? null],
  );
  const { deployments = 0, queued = 0, last = null } = row ?? {};
  return { deployments, queued, ...(deployments === limit && last !== null && { next_cursor: last }) };
}
