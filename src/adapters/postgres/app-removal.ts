/** Forgetting an app in PostgreSQL, unless a deployment of it is in progress; what remains to be done is remembered. */
import { namedVolumes, type AppConfig } from '../../domain/app-spec.js';
import { DeployError } from '../../domain/errors.js';
import type { AppPlace, Removal } from '../../domain/ports.js';
import type { Traffic } from '../../domain/traffic.js';
import type { Client } from './database.js';

const HERE = 'app_name = $1 and environment = $2';

interface KnownApp {
  readonly last_release: number;
  readonly config: AppConfig | null;
  readonly traffic: Traffic | null;
}

/** @throws DeployError `deployment_in_progress` */
export async function removeApp(client: Client, place: AppPlace): Promise<Removal | undefined> {
  const { app_name, environment } = place;
  const values = [app_name, environment];
  // Whoever accepts or starts a deployment locks this row as well.
  await client.query(`select 1 from apps where ${HERE} for update`, values);
  const app = await one<KnownApp>(
    client,
    `select last_release, config, traffic from apps left join traffic using (app_name, environment) where ${HERE}`,
    values,
  );
  if (app === undefined) return unfinishedRemoval(client, place);
  const running = await one<{ id: string }>(
    client,
    `select id from deployments where ${HERE} and finished_at is null order by started_at is null, release limit 1`,
    values,
  );
  if (running) {
    const message = `Deployment ${running.id} of ${app_name} is in progress: cancel it first, or wait.`;
    throw new DeployError('deployment_in_progress', message);
  }

  await client.query(
    `delete from sboms using deployments where deployments.id = sboms.deployment_id and ${HERE}`,
    values,
  );
  const { rowCount: releases } = await client.query(`delete from releases where ${HERE}`, values);
  for (const table of ['traffic', 'domains', 'apps']) await client.query(`delete from ${table} where ${HERE}`, values);
  const removal: Removal = {
    ...place,
    release: app.last_release,
    hosts: app.traffic?.hosts ?? [],
    releases: releases ?? 0,
    volumes: app.config ? namedVolumes(app.config) : [],
  };
  await client.query(
    `insert into removals (app_name, environment, release, removal) values ($1, $2, $3, $4)
     on conflict (app_name, environment) do update set release = excluded.release, removal = excluded.removal`,
    [...values, removal.release, JSON.stringify(removal)],
  );
  return removal;
}

/** One that a crash has cut off. */
async function unfinishedRemoval(client: Client, { app_name, environment }: AppPlace): Promise<Removal | undefined> {
  const row = await one<{ removal: Removal }>(client, `select removal from removals where ${HERE}`, [
    app_name,
    environment,
  ]);
  return row?.removal;
}

async function one<Row extends object>(client: Client, text: string, values: unknown[]): Promise<Row | undefined> {
  return (await client.query<Row>(text, values)).rows[0];
}
