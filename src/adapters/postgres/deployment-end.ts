/** What the end of a deployment means for its app, in the transaction that ends it: a release, or the way back. */
import { ulid } from 'ulid';
import type { DeploySpec } from '../../domain/app-spec.js';
import type { DeploymentIdentity, DeploymentState, Fact } from '../../domain/deployment.js';
import type { AuditRecord } from '../../domain/ports.js';
import { automaticRollback, isRelease } from '../../domain/releases.js';
import type { Client } from './database.js';
import { releaseHosts } from './host-claims.js';
import { APPEND_AUDIT } from './postgres-audit-trail.js';

interface Ended {
  readonly id: string;
  readonly app_name: string;
  readonly environment: string;
  readonly spec: DeploySpec;
}

/** Adds a fact to the deployment of this id. */
export type AppendFact = (deploymentId: string, fact: Fact) => Promise<void>;

/** What `endDeployment` will change, before the stream is locked: whoever takes an order has the app's row first, then the stream. */
export async function lockForEnd(
  client: Client,
  { app_name, environment }: Pick<Ended, 'app_name' | 'environment'>,
  { identity }: DeploymentState,
): Promise<void> {
  if (identity.rollback_of !== undefined)
    await client.query('select 1 from deployments where id = $1 for update', [identity.rollback_of]);
  await client.query('select 1 from apps where app_name = $1 and environment = $2 for update', [app_name, environment]);
}

/** The uploaded archive has served, whatever the outcome, and an SBOM belongs to a release; a success makes the configuration the app's own. */
export async function endDeployment(
  client: Client,
  ended: Ended,
  state: DeploymentState,
  append: AppendFact,
): Promise<void> {
  const { identity } = state;
  if (state.status === 'success') await succeed(client, ended, state);
  else {
    await client.query('delete from sboms where deployment_id = $1', [ended.id]);
    await orderRollback(client, ended, state, append);
  }
  if (identity.rollback_of !== undefined) await answerParent(identity.rollback_of, state, append);
  await client.query('delete from archive_pieces where deployment_id = $1', [ended.id]);
  await releaseHosts(client, ended);
  // Only what is committed as ended can be told to others as ended.
  await client.query('insert into deployment_endings (deployment_id) values ($1)', [ended.id]);
}

async function succeed(client: Client, { id, app_name, environment }: Ended, state: DeploymentState): Promise<void> {
  const { identity, outputs } = state;
  const release = isRelease(identity) ? identity.release : null;
  if (release !== null && outputs.image !== undefined) {
    await client.query(
      `insert into releases (app_name, environment, release, deployment_id, version, image, image_digest, commit, source, config, actor, origin, created_at)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9, config, $10,
         coalesce((select origin from releases where app_name = $1 and environment = $2 and release = $11), $3), $12
       from deployments where id = $4`,
      [
        app_name,
        environment,
        release,
        id,
        identity.version,
        outputs.image,
        outputs.image_digest ?? null,
        outputs.commit ?? null,
        identity.source,
        JSON.stringify(identity.actor),
        identity.rollback_to ?? null,
        state.finished_at,
      ],
    );
  }
  await client.query(
    `update apps set live_deployment = $3, live_release = coalesce($4, live_release),
       config = (select config from deployments where id = $3) where app_name = $1 and environment = $2`,
    [app_name, environment, id, release],
  );
}

/** Only where requests had met the failed version: otherwise nothing has changed. A rollback itself is never rolled back. */
async function orderRollback(client: Client, ended: Ended, state: DeploymentState, append: AppendFact): Promise<void> {
  const order = automaticRollback(state, ended.spec, `dep-${ulid().toLowerCase()}`);
  if (order === undefined) return;
  const release = await nextRelease(client, order.identity);
  await insertDeployment(client, { ...order.identity, release }, order.spec, append, true);
  const { id: by, version } = order.identity;
  const at = state.finished_at ?? '';
  await append(ended.id, { type: 'rollback_ordered', at, by, release: order.identity.rollback_to ?? 0, version });
  const { actor, app_name, environment } = order.identity;
  const target = `${app_name}/${environment}`;
  const audit: AuditRecord = { at, actor, action: 'app.rollback', target, outcome: 'succeeded' };
  await client.query(APPEND_AUDIT, [JSON.stringify(audit)]);
}

/** The deployment that was rolled back learns how that ended. */
async function answerParent(parent: string, state: DeploymentState, append: AppendFact): Promise<void> {
  const by = state.identity.id;
  const at = state.finished_at ?? '';
  if (state.status === 'success') await append(parent, { type: 'deployment_rolled_back', at, by });
  else if (state.error) await append(parent, { type: 'rollback_failed', at, by, error: state.error });
}

/** Counts up the app's releases, those of an app that was forgotten as well; its row stays locked, so that orders for one app come one after another. */
export async function nextRelease(
  client: Client,
  { app_name, environment, project }: Pick<DeploymentIdentity, 'app_name' | 'environment' | 'project'>,
): Promise<number> {
  const { rows } = await client.query<{ last_release: number }>(
    `insert into apps (app_name, environment, project, last_release)
     values ($1, $2, $3, 1 + coalesce((select max(release) from deployments where app_name = $1 and environment = $2), 0))
     on conflict (app_name, environment) do update set last_release = apps.last_release + 1 returning last_release`,
    [app_name, environment, project],
  );
  if (rows[0] === undefined) throw new Error('no release number was given');
  return rows[0].last_release;
}

/** Stores the order with its first fact. */
export async function insertDeployment(
  client: Client,
  identity: DeploymentIdentity,
  spec: DeploySpec,
  append: AppendFact,
  urgent = false,
): Promise<void> {
  await client.query(
    `insert into deployments (id, app_name, environment, release, status, state, spec, urgent) values ($1, $2, $3, $4, 'pending', '{}', $5, $6)`,
    [identity.id, identity.app_name, identity.environment, identity.release, JSON.stringify(spec), urgent],
  );
  await append(identity.id, { type: 'deployment_requested', at: new Date().toISOString(), deployment: identity });
}
