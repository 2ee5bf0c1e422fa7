/** Deployments in PostgreSQL: accepting orders, and the look-ups of the API. */
import { createReadStream } from 'node:fs';
import { defaultVersion } from '../../domain/app-spec.js';
import type { DeploymentIdentity, DeploymentState } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import {
  DeploymentStore,
  type Acceptance,
  type AppPlace,
  type DeploymentFilter,
  type DeploymentOrder,
  type DeploymentRecord,
  type DeploymentStats,
  type Idempotency,
  type OrderOutlook,
  type PlacedDeployment,
  type QueuePlace,
} from '../../domain/ports.js';
import type { Strategy } from '../../domain/strategy.js';
import { isUniqueViolation, type Client, type Database } from './database.js';
import { deploymentStats } from './deployment-stats.js';
import { likePatterns } from './entry-rows.js';
import { settlePermit } from './order-permits.js';
import { insertDeployment, nextRelease } from './deployment-end.js';
import { appendFact, DEPLOYMENT_COLUMNS, lockDeployment, toRecord, type DeploymentRow } from './deployment-log.js';
import { claimForOrder } from './host-claims.js';

const UNFINISHED = 'finished_at is null';
/** Every deployment that has not ended, with its place in the line of its app. */
const WITH_LINE = `with line as (
  select id, (row_number() over app - 1)::int as position, lag(id) over app as behind from deployments
  where ${UNFINISHED} window app as (partition by app_name, environment order by started_at is null, urgent desc, release))`;

interface PlacedRow {
  state: DeploymentState;
  strategy?: Strategy | null;
  position: number;
  behind: string | null;
}

const PRUNE_ENTRIES = 50_000;

export interface StoreOptions {
  /** Names this process in entries. */
  readonly instance: string;
  readonly retention_days: number;
}

export class PostgresDeploymentStore extends DeploymentStore {
  constructor(
    private readonly database: Database,
    private readonly options: StoreOptions,
  ) {
    super();
  }

  async accept(order: DeploymentOrder): Promise<Acceptance> {
    try {
      return await this.database.transaction((client) => this.#accept(client, order));
    } catch (error) {
      // Two requests with one new key at the same moment: the second waits for the first, then finds it.
      if (isUniqueViolation(error, 'idempotency_keys_pkey')) return this.accept(order);
      throw error;
    }
  }

  async #accept(client: Client, order: DeploymentOrder): Promise<Acceptance> {
    const known = order.idempotency && (await findByKey(client, order.idempotency));
    if (known) return { record: known, replayed: true };

    const { identity: asked, spec } = order;
    // The key comes first: whoever brings the same one waits here for the outcome, then finds it.
    if (order.idempotency) {
      const { key, fingerprint } = order.idempotency;
      await client.query('insert into idempotency_keys (key, fingerprint, deployment_id) values ($1, $2, $3)', [
        key,
        fingerprint,
        asked.id,
      ]);
    }
    // Before the app's row is locked: a large archive must not keep other orders for the app waiting.
    if (order.archive_path !== undefined) await storeArchive(client, asked.id, order.archive_path);
    if (order.permit) await settlePermit(client, order.permit, asked.id);
    const release = await nextRelease(client, asked);
    if (spec.on_conflict === 'reject') await refuseWhileInProgress(client, asked);

    const identity: DeploymentIdentity = {
      ...asked,
      release,
      version: asked.version ?? defaultVersion(spec.source, release),
    };
    await claimForOrder(client, order);
    await insertDeployment(client, identity, spec, appendFact(client, this.options.instance));
    const row = await lockDeployment(client, identity.id);
    if (row === undefined) throw new Error(`deployment ${identity.id} was not stored`);
    return { record: toRecord(row), replayed: false };
  }

  async known(idempotency: Idempotency): Promise<DeploymentRecord | undefined> {
    return this.database.transaction((client) => findByKey(client, idempotency));
  }

  async find(id: string): Promise<DeploymentRecord | undefined> {
    const rows = await this.database.query<DeploymentRow>(
      `select ${DEPLOYMENT_COLUMNS} from deployments where id = $1`,
      [id],
    );
    return rows[0] && toRecord(rows[0]);
  }

  async list(
    filter: DeploymentFilter,
    page: { limit: number; offset: number },
  ): Promise<{ deployments: PlacedDeployment[]; total: number }> {
    const values: unknown[] = [];
    const conditions = [
      'true',
      ...(filter.app_name ? [`app_name = $${values.push(filter.app_name)}`] : []),
      ...(filter.environment ? [`environment = $${values.push(filter.environment)}`] : []),
      ...(filter.apps ? [`app_name like any ($${values.push(likePatterns(filter.apps))})`] : []),
      ...(filter.statuses ? [`status = any ($${values.push(filter.statuses)})`] : []),
    ].join(' and ');
    const [rows, counts] = await Promise.all([
      this.database.query<PlacedRow>(
        `${WITH_LINE} select state, config -> 'strategy' as strategy, coalesce(position, 0) as position, behind
         from deployments left join line using (id)
         where ${conditions} order by created_at desc, id desc limit $${values.length + 1} offset $${values.length + 2}`,
        [...values, page.limit, page.offset],
      ),
      this.database.query<{ total: number }>(
        `select count(*)::int as total from deployments where ${conditions}`,
        values,
      ),
    ]);
    return {
      deployments: rows.map((row) => ({
        state: row.state,
        place: placeOf(row),
        ...(row.strategy && { strategy: row.strategy }),
      })),
      total: counts[0]?.total ?? 0,
    };
  }

  async place({ id }: DeploymentRecord): Promise<QueuePlace> {
    const rows = await this.database.query<PlacedRow>(`${WITH_LINE} select position, behind from line where id = $1`, [
      id,
    ]);
    return rows[0] ? placeOf(rows[0]) : { position: 0 };
  }

  stats(apps?: readonly string[]): Promise<DeploymentStats> {
    return deploymentStats(this.database, apps);
  }

  async appExists(appName: string): Promise<boolean> {
    return (await this.database.query('select 1 from deployments where app_name = $1 limit 1', [appName])).length > 0;
  }

  async outlook({ app_name, environment }: AppPlace, hosts: readonly string[]): Promise<OrderOutlook> {
    const [row] = await this.database.query<{
      next_release: number;
      foreign_hosts: string[];
      in_progress: string | null;
    }>(
      `select 1 + coalesce((select last_release from apps where app_name = $1 and environment = $2),
           (select max(release) from deployments where app_name = $1 and environment = $2), 0) as next_release,
         array(select host from domains where host = any ($3) and (app_name, environment) <> ($1, $2) order by host) as foreign_hosts,
         (select id from deployments where app_name = $1 and environment = $2 and ${UNFINISHED} order by release limit 1) as in_progress`,
      [app_name, environment, hosts],
    );
    if (row === undefined) throw new Error('the database says nothing of the app');
    const { in_progress, ...outlook } = row;
    return { ...outlook, ...(in_progress !== null && { in_progress }) };
  }

  async *readArchive(deploymentId: string): AsyncIterable<Uint8Array> {
    for (let number = 0; ; number++) {
      const rows = await this.database.query<{ bytes: Buffer }>(
        'select bytes from archive_pieces where deployment_id = $1 and number = $2',
        [deploymentId, number],
      );
      if (rows[0] === undefined) return;
      yield rows[0].bytes;
    }
  }

  async prune(): Promise<void> {
    const { retention_days } = this.options;
    await this.database.query(
      "delete from idempotency_keys where created_at < clock_timestamp() - $1::int * interval '1 hour'",
      [LIMITS.idempotency_hours],
    );
    // Only a whole beginning of the stream is cut off, so that what is kept has no holes.
    await this.database.query(
      `with old as (select position from entries where at < statement_timestamp() - $1::int * interval '1 day'
                    order by at desc, position desc limit 1),
       cut as (
         select least(old.position, stream.floor + ${PRUNE_ENTRIES},
           (select min(e.position) - 1 from entries e join deployments d on d.id = e.deployment_id
             where e.sequence = 1 and d.finished_at is null)) as position
         from old, stream),
       gone as (delete from entries using cut where entries.position <= cut.position)
       update stream set floor = greatest(floor, cut.position) from cut`,
      [retention_days],
    );
  }
}

async function findByKey(client: Client, { key, fingerprint }: Idempotency): Promise<DeploymentRecord | undefined> {
  const { rows } = await client.query<{ fingerprint: string; deployment_id: string }>(
    'select fingerprint, deployment_id from idempotency_keys where key = $1',
    [key],
  );
  if (rows[0] === undefined) return undefined;
  if (rows[0].fingerprint !== fingerprint) throw new DeployError('idempotency_key_reused');
  const row = await lockDeployment(client, rows[0].deployment_id);
  return row && toRecord(row);
}

async function refuseWhileInProgress(
  client: Client,
  { app_name, environment }: { app_name: string; environment: string },
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `select id from deployments where app_name = $1 and environment = $2 and ${UNFINISHED} limit 1`,
    [app_name, environment],
  );
  if (rows[0])
    throw new DeployError('deployment_in_progress', `Deployment ${rows[0].id} of ${app_name} is in progress.`);
}

const PIECE_BYTES = 1024 * 1024;

async function storeArchive(client: Client, deploymentId: string, path: string): Promise<void> {
  let number = 0;
  for await (const bytes of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    await client.query('insert into archive_pieces (deployment_id, number, bytes) values ($1, $2, $3)', [
      deploymentId,
      number++,
      bytes,
    ]);
  }
}

function placeOf({ position, behind }: PlacedRow): QueuePlace {
  return { position, ...(behind && { behind }) };
}
