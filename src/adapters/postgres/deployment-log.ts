/**
 * The one way entries come into being: inside a transaction that holds the deployment's row, items are numbered, stored
 * and folded. Every transaction locks in the same order: deployment, app, host names, stream. The statements of an append
 * have names, so that each connection plans them once: nobody else can append meanwhile.
 */
import { encodeCursor } from '../../domain/cursor.js';
import { decide, evolve, settle, type Decision, type DeploymentState, type Fact } from '../../domain/deployment.js';
import type { AppConfig, DeploySpec } from '../../domain/app-spec.js';
import { describeFact } from '../../domain/fact-log.js';
import { LOG_LEVELS, type LogDraft, type LogRow } from '../../domain/log-entry.js';
import { isFinal, type DeploymentStatus } from '../../domain/phases.js';
import type { Appended, AppendItem, DeploymentRecord } from '../../domain/ports.js';
import type { Client } from './database.js';
import { endDeployment, lockForEnd, type AppendFact } from './deployment-end.js';
import { claimForTraffic } from './host-claims.js';

export interface DeploymentRow {
  id: string;
  app_name: string;
  environment: string;
  state: DeploymentState;
  spec: DeploySpec;
  config: AppConfig | null;
  sequence: number;
  fence: number;
  batch: number;
  held: boolean;
  claimed: boolean;
  due_in_ms: number | null;
  created_at: Date;
}

export const DEPLOYMENT_COLUMNS = `id, app_name, environment, state, spec, config, sequence, fence, batch, created_at,
  coalesce(lease_until > clock_timestamp(), false) as held, lease_owner is not null as claimed,
  (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as due_in_ms`;

export async function lockDeployment(client: Client, id: string): Promise<DeploymentRow | undefined> {
  const { rows } = await client.query<DeploymentRow>({
    name: 'lock_deployment',
    text: `select ${DEPLOYMENT_COLUMNS} from deployments where id = $1 for update`,
    values: [id],
  });
  return rows[0];
}

export function toRecord(row: DeploymentRow): DeploymentRecord {
  return {
    id: row.id,
    state: row.state,
    spec: row.spec,
    ...(row.config && { config: row.config }),
    fence: row.fence,
    created_at: row.created_at.toISOString(),
  };
}

/** What the holder of the row changes beside the entries; a lease is given (`owner`), given back (`null`) or left alone. */
export interface RowChange {
  readonly fence?: number;
  readonly batch?: number;
  readonly lease?: { readonly owner: string; readonly lease_ms: number } | null;
  readonly config?: AppConfig;
}

interface NumberedItem {
  readonly draft: LogDraft;
  readonly status: DeploymentStatus;
  readonly fact: Fact | undefined;
}

/** Appends to a deployment whose row the transaction holds; `row.state` is undefined for its very first fact only. */
export async function appendItems(
  client: Client,
  row: Pick<DeploymentRow, 'id' | 'app_name' | 'environment' | 'sequence'> & { state: DeploymentState | undefined },
  items: readonly AppendItem[],
  instance: string,
  change: RowChange = {},
): Promise<Appended> {
  const { state, numbered } = foldItems(row.state, items);
  const decision = decide(state);
  const ending = isFinal(state.status) && (row.state === undefined || !isFinal(row.state.status));
  if (ending) await lockForEnd(client, row, state);
  // Before the stream: who has just claimed one of the names, and is waited for, needs it.
  const shifts = numbered.map(({ fact }) => fact).filter((fact) => fact?.type === 'traffic_shifted');
  for (const { traffic } of shifts) await claimForTraffic(client, traffic);
  const rows = await insertEntries(client, row, numbered, instance);
  // Only facts decide anew; a line of output must not restart the clock of a waiting retry.
  const decided = numbered.some(({ fact }) => fact !== undefined);
  await updateSummary(
    client,
    row,
    state,
    decision,
    row.sequence + rows.length,
    decided,
    ending ? { ...change, lease: null } : change,
  );
  for (const shift of shifts) await storeTraffic(client, shift);
  if (!ending) return { rows, state, decision };
  await endDeployment(client, { ...row, spec: await specOf(client, row.id) }, state, appendFact(client, instance));
  return { rows, state: (await lockDeployment(client, row.id))?.state ?? state, decision };
}

/** Appends one fact to a deployment that this transaction has not locked yet, or that it has just stored. */
export function appendFact(client: Client, instance: string): AppendFact {
  return async (deploymentId, fact) => {
    const row = await lockDeployment(client, deploymentId);
    if (row === undefined) return;
    const isNew = fact.type === 'deployment_requested';
    await appendItems(client, { ...row, state: isNew ? undefined : row.state }, [{ fact }], instance);
  };
}

async function specOf(client: Client, id: string): Promise<DeploySpec> {
  const { rows } = await client.query<{ spec: DeploySpec }>('select spec from deployments where id = $1', [id]);
  if (rows[0] === undefined) throw new Error(`deployment ${id} is gone`);
  return rows[0].spec;
}

/** The traffic of the app is whatever its last shift says. */
async function storeTraffic(
  client: Client,
  { traffic, retiring }: Extract<Fact, { type: 'traffic_shifted' }>,
): Promise<void> {
  await client.query(
    `insert into traffic (app_name, environment, traffic, retiring) values ($1, $2, $3, $4)
     on conflict (app_name, environment)
     do update set traffic = excluded.traffic, retiring = excluded.retiring, changed_at = clock_timestamp()`,
    [traffic.app_name, traffic.environment, JSON.stringify(traffic), JSON.stringify(retiring)],
  );
}

function foldItems(
  before: DeploymentState | undefined,
  items: readonly AppendItem[],
): { state: DeploymentState; numbered: NumberedItem[] } {
  const numbered: NumberedItem[] = [];
  let state = before;
  const take = (fact: Fact, stack?: string): void => {
    const after = evolve(state, fact);
    // A fact that comes too late to change anything is no fact.
    if (after === state) return;
    state = after;
    const draft = describeFact(fact, state);
    numbered.push({
      draft: stack ? { ...draft, metadata: { ...draft.metadata, stack } } : draft,
      status: state.status,
      fact,
    });
  };
  for (const item of items) {
    if ('fact' in item) {
      take(item.fact, item.stack);
      if (state) for (const fact of settle(state, item.fact.at)) take(fact);
    } else if (state) {
      numbered.push({ draft: item.draft, status: state.status, fact: undefined });
    }
  }
  if (state === undefined) throw new Error('the first item of a deployment is its request');
  return { state, numbered };
}

async function insertEntries(
  client: Client,
  row: Pick<DeploymentRow, 'id' | 'app_name' | 'environment' | 'sequence'>,
  items: readonly NumberedItem[],
  instance: string,
): Promise<LogRow[]> {
  if (items.length === 0) return [];
  const latest = items.reduce((max, { draft }) => (draft.at > max ? draft.at : max), '');
  const { rows: heads } = await client.query<{ epoch: string; head: string; last_at: Date | null; now: Date }>({
    name: 'move_stream',
    text: `with before as (select head, last_at from stream for update)
     update stream set head = before.head + $1, last_at = greatest(before.last_at, least($2::timestamptz, clock_timestamp())) from before
     returning epoch, before.head::text as head, nullif(before.last_at, '-infinity') as last_at, clock_timestamp() as now`,
    values: [items.length, latest],
  });
  const stream = heads[0];
  if (stream === undefined) throw new Error('the stream has no row');
  // Time never runs backwards along the stream, and no clock that is fast gets its way: a late line takes the time of the
  // entry before it, an early one that of the database.
  const now = stream.now.toISOString();
  let last = stream.last_at?.toISOString() ?? '';
  const rows = items.map(({ draft, status }, index): LogRow => {
    const at = draft.at < now ? draft.at : now;
    last = at > last ? at : last;
    return {
      ...draft,
      at: last,
      deployment_id: row.id,
      app_name: row.app_name,
      environment: row.environment,
      sequence: row.sequence + index + 1,
      cursor: encodeCursor({ epoch: stream.epoch, position: Number(stream.head) + index + 1 }),
      status,
      instance,
    };
  });
  const column = <Value>(pick: (entry: LogRow, index: number) => Value): Value[] => rows.map(pick);
  await client.query({
    name: 'insert_entries',
    text: `insert into entries (deployment_id, app_name, environment, instance, sequence, position, at, level, status, component,
                          phase, attempt, event_type, message, metadata, fact)
     select $1, $2, $3, $4, $5::int + n, $6::bigint + n, at, level, status, component,
            phase, attempt, event_type, message, metadata, fact
     from unnest($7::timestamptz[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::smallint[], $13::text[],
                 $14::text[], $15::jsonb[], $16::jsonb[]) with ordinality
       as line (at, level, status, component, phase, attempt, event_type, message, metadata, fact, n)`,
    values: [
      row.id,
      row.app_name,
      row.environment,
      instance,
      row.sequence,
      stream.head,
      column((entry) => entry.at),
      column((entry) => LOG_LEVELS.indexOf(entry.level)),
      column((entry) => entry.status),
      column((entry) => entry.component),
      column((entry) => entry.phase ?? null),
      column((entry) => entry.attempt ?? null),
      column((entry) => entry.event_type ?? null),
      column((entry) => entry.message),
      column((entry) => (entry.metadata ? JSON.stringify(entry.metadata) : null)),
      column((_, index) => (items[index]?.fact ? JSON.stringify(items[index].fact) : null)),
    ],
  });
  return rows;
}

async function updateSummary(
  client: Client,
  row: Pick<DeploymentRow, 'id'>,
  state: DeploymentState,
  decision: Decision,
  sequence: number,
  decided: boolean,
  change: RowChange,
): Promise<void> {
  const due_in_ms = decision.kind === 'run' ? decision.delay_ms : null;
  const { fence, batch, lease, config } = change;
  await client.query({
    name: 'update_summary',
    text: `update deployments set state = $2, status = $3, sequence = $4, cancel_requested = $5,
       due_at = case when $15::boolean then clock_timestamp() + $6::float8 * interval '1 millisecond' else due_at end,
       started_at = $7, finished_at = $8, deadline_at = $9,
       fence = coalesce($10, fence), config = coalesce($11, config),
       batch = coalesce($16, batch),
       lease_owner = case when $12::boolean then $13 else lease_owner end,
       lease_until = case when $12::boolean then clock_timestamp() + $14::float8 * interval '1 millisecond' else lease_until end
     where id = $1`,
    values: [
      row.id,
      JSON.stringify(state),
      state.status,
      sequence,
      state.cancel !== undefined,
      due_in_ms,
      state.started_at ?? null,
      state.finished_at ?? null,
      state.deadline_at ?? null,
      fence ?? null,
      config ? JSON.stringify(config) : null,
      lease !== undefined,
      lease?.owner ?? null,
      lease?.lease_ms ?? null,
      decided,
      batch ?? null,
    ],
  });
}
