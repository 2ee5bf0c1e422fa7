/** Turns and leases in PostgreSQL: which deployment of an app runs, and which worker holds its phase. */
import {
  DEFAULT_CONFIG,
  resolveConfig,
  runsAgain,
  skippedPhases,
  type AppConfig,
  type Source,
} from '../../domain/app-spec.js';
import { decide, isTouched, type Base, type Decision, type PhaseOutputs } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { createDeploymentLog, FlukeDeployEventType, type LogDraft } from '../../domain/log-entry.js';
import { isFinal, type Phase } from '../../domain/phases.js';
import { plannedWaitMs } from '../../domain/strategy.js';
import type { Retiring, Traffic } from '../../domain/traffic.js';
import { PhaseClaims, type Claim, type ClaimHealth, type DuePhase } from '../../domain/ports.js';
import { isUniqueViolation, type Client, type Database } from './database.js';
import { appendItems, DEPLOYMENT_COLUMNS, lockDeployment, toRecord, type DeploymentRow } from './deployment-log.js';

const UNFINISHED = 'finished_at is null';
const FREE = '(lease_until is null or lease_until < clock_timestamp())';
/** A job may wake a worker this much before its time: timers are no better. */
const EARLY_MS = 250;

export interface ClaimOptions {
  /** Names this process in entries and leases. */
  readonly instance: string;
  readonly lease_ms: number;
}

export class PostgresPhaseClaims extends PhaseClaims {
  constructor(
    private readonly database: Database,
    private readonly options: ClaimOptions,
  ) {
    super();
  }

  async superseded(): Promise<{ id: string; superseded_by: string }[]> {
    return this.database.query(
      `select older.id, (array_agg(newer.id order by newer.release desc))[1] as superseded_by from deployments older
       join deployments newer using (app_name, environment)
       where older.${UNFINISHED} and not older.urgent and not older.cancel_requested and newer.finished_at is null and not newer.cancel_requested
         and newer.release > older.release and newer.spec ->> 'on_conflict' = 'supersede'
       group by older.id limit 100`,
    );
  }

  async startWaiting(app?: { app_name: string; environment: string }): Promise<DuePhase[]> {
    const waiting = await this.database.query<{ id: string }>(
      `select distinct on (app_name, environment) id from deployments waiting
       where started_at is null and ${UNFINISHED} ${app ? 'and app_name = $1 and environment = $2' : ''}
         and not exists (select 1 from deployments running where running.app_name = waiting.app_name
           and running.environment = waiting.environment and running.started_at is not null and running.finished_at is null)
       order by app_name, environment, urgent desc, release limit 100`,
      app ? [app.app_name, app.environment] : [],
    );
    const started = await Promise.all(waiting.map(({ id }) => this.#start(id)));
    return started.filter((due) => due !== undefined);
  }

  async #start(id: string): Promise<DuePhase | undefined> {
    try {
      return await this.database.transaction(async (client) => {
        const row = await lockDeployment(client, id);
        if (row === undefined || row.state.started_at !== undefined || isFinal(row.state.status)) return undefined;
        const { base, current } = await baseOf(client, row);
        const config = resolveConfig(current, row.spec.config, row.spec);
        const outputs = outputsAtStart(row.spec.source, base);
        const now = await databaseTime(client);
        const at = new Date(now).toISOString();
        const fact = {
          type: 'deployment_started',
          at,
          deadline_at: new Date(now + row.state.identity.timeout_ms + plannedWaitMs(config.strategy)).toISOString(),
          replicas: config.replicas,
          skips: skippedPhases(row.spec, config),
          base,
          ...(outputs && { outputs }),
        } as const;
        const change = current && configChange(at, current, config);
        const items = change ? [{ draft: change }, { fact }] : [{ fact }];
        const { decision } = await appendItems(client, row, items, this.options.instance, { config });
        return decision.kind === 'run' ? dueOf(id, decision) : undefined;
      });
    } catch (error) {
      // Somebody else started a deployment of this app between our look and our write.
      if (isUniqueViolation(error, 'deployments_one_running')) return undefined;
      throw error;
    }
  }

  async claim(deploymentId: string, phase: Phase): Promise<Claim | undefined> {
    return this.database.transaction(async (client) => {
      const row = await lockDeployment(client, deploymentId);
      if (row === undefined || row.held || row.config === null || (row.due_in_ms ?? Infinity) > EARLY_MS)
        return undefined;
      const decision = decide(row.state);
      if (decision.kind !== 'run' || decision.phase !== phase) return undefined;
      const { attempt } = decision;
      const { instance, lease_ms } = this.options;
      const fence = row.fence + 1;
      const fact = { type: 'phase_started', at: new Date().toISOString(), phase, attempt } as const;
      const { state } = await appendItems(client, row, [{ fact }], instance, {
        fence,
        batch: 0,
        lease: { owner: instance, lease_ms },
      });
      if (isFinal(state.status)) return undefined;
      const { deadline_at, rollout } = state;
      // A paused rollout has no deadline: what was left at its beginning is left when it ends.
      const left_ms =
        deadline_at === undefined
          ? (rollout?.paused?.left_ms ?? Infinity)
          : Date.parse(deadline_at) - (await databaseTime(client));
      // What was stored before a field was known has its default.
      const config = { ...DEFAULT_CONFIG, ...row.config };
      return { record: { ...toRecord(row), state, fence }, config, phase, attempt, fence, left_ms };
    });
  }

  async heartbeat(claim: Claim): Promise<ClaimHealth> {
    const rows = await this.database.query<{ cancel_requested: boolean }>(
      `update deployments set lease_until = clock_timestamp() + $3::float8 * interval '1 millisecond'
       where id = $1 and fence = $2 and ${UNFINISHED} and lease_owner is not null returning cancel_requested`,
      [claim.record.id, claim.fence, this.options.lease_ms],
    );
    if (rows[0] === undefined) return 'lost';
    return rows[0].cancel_requested ? 'cancelled' : 'held';
  }

  async due(limit: number): Promise<DuePhase[]> {
    const rows = await this.database.query<DeploymentRow & { overdue_ms: number }>(
      `select ${DEPLOYMENT_COLUMNS}, (extract(epoch from clock_timestamp() - greatest(due_at, lease_until)) * 1000)::float8 as overdue_ms
       from deployments where due_at <= clock_timestamp() and ${UNFINISHED} and ${FREE} order by due_at limit $1`,
      [limit],
    );
    return rows.flatMap((row) => {
      const decision = decide(row.state);
      return decision.kind === 'run' ? [{ ...dueOf(row.id, decision), delay_ms: 0, overdue_ms: row.overdue_ms }] : [];
    });
  }

  async expire(graceMs: number): Promise<string[]> {
    const overdue = await this.database.query<{ id: string }>(
      `select id from deployments where deadline_at + $1::float8 * interval '1 millisecond' < clock_timestamp() and ${UNFINISHED} and ${FREE} limit 100`,
      [graceMs],
    );
    await Promise.all(overdue.map(({ id }) => this.#expire(id)));
    return overdue.map(({ id }) => id);
  }

  async #expire(id: string): Promise<void> {
    await this.database.transaction(async (client) => {
      const row = await lockDeployment(client, id);
      const decision = row && decide(row.state);
      // A touched service is for a worker to take back: past the deadline it does nothing else.
      if (row === undefined || decision?.kind !== 'run' || row.held || isTouched(row.state)) return;
      const { phase, attempt } = decision;
      const error = new DeployError('deployment_timeout').toFailure();
      const fact = { type: 'phase_failed', at: new Date().toISOString(), phase, attempt, error } as const;
      await appendItems(client, row, [{ fact }], this.options.instance, { fence: row.fence + 1 });
    });
  }
}

/** What is live, and what the app is configured to be. The app's row is locked: nobody clears away what this deployment counts on. */
async function baseOf(
  client: Client,
  { app_name, environment }: Pick<DeploymentRow, 'app_name' | 'environment'>,
): Promise<{ base: Base; current: AppConfig | undefined }> {
  await client.query('select 1 from apps where app_name = $1 and environment = $2 for update', [app_name, environment]);
  const { rows } = await client.query<BaseRow>(
    `select apps.config, release, version, image, image_digest, commit, traffic, retiring from apps
     left join releases on releases.app_name = apps.app_name and releases.environment = apps.environment and release = live_release
     left join traffic on traffic.app_name = apps.app_name and traffic.environment = apps.environment
     where apps.app_name = $1 and apps.environment = $2`,
    [app_name, environment],
  );
  const { config, traffic, retiring, ...live } = rows[0] ?? ({} as BaseRow);
  const known = Object.fromEntries(Object.entries(live).filter(([, value]) => value !== null)) as Partial<Base>;
  const base = { ...known, replicas: config?.replicas ?? 0, retiring: retiring ?? [], ...(traffic && { traffic }) };
  return { base, current: config ?? undefined };
}

interface BaseRow {
  config: AppConfig | null;
  release: number | null;
  version: string | null;
  image: string | null;
  image_digest: string | null;
  commit: string | null;
  traffic: Traffic | null;
  retiring: Retiring[] | null;
}

/** An image that runs again is known before anything is built. */
function outputsAtStart(source: Source, base: Base): PhaseOutputs | undefined {
  if (!runsAgain(source)) return undefined;
  const { image, image_digest, commit } = source.kind === 'live' ? base : source;
  return { ...(image && { image }), ...(image_digest && { image_digest }), ...(commit && { commit }) };
}

/** Milliseconds since the epoch by the database's clock, the one that all processes share. */
async function databaseTime(client: Client): Promise<number> {
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  if (rows[0] === undefined) throw new Error('the database has no time');
  return rows[0].now.getTime();
}

function dueOf(deployment_id: string, { phase, attempt, delay_ms }: Extract<Decision, { kind: 'run' }>): DuePhase {
  return { deployment_id, phase, attempt, delay_ms, overdue_ms: 0 };
}

function configChange(at: string, current: AppConfig, next: AppConfig): LogDraft | undefined {
  const keys = (Object.keys(next) as (keyof AppConfig)[]).filter(
    (key) => JSON.stringify(current[key]) !== JSON.stringify(next[key]),
  );
  if (keys.length === 0) return undefined;
  return createDeploymentLog({
    at,
    event_type: FlukeDeployEventType.CONFIG_CHANGE,
    message: `Configuration changes: ${keys.join(', ')}`,
    metadata: { config_keys: keys },
  });
}
