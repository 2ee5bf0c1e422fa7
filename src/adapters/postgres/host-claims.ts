/** Host names belong to one app: who has which, and for how long. */
import { resolveConfig, type AppConfig } from '../../domain/app-spec.js';
import { DeployError } from '../../domain/errors.js';
import { hostField, namedHosts, orderedPreviewConflict, previewHostOf } from '../../domain/host-names.js';
import type { AppPlace, DeploymentOrder } from '../../domain/ports.js';
import type { Traffic } from '../../domain/traffic.js';
import type { Client } from './database.js';

/**
 * What an order asks for, and what the app's configuration makes of it: a deployment that names no host still serves those that
 * are stored. The app's row is locked.
 * @throws DeployError `domain_taken`, `strategy_unsupported`
 */
export async function claimForOrder(client: Client, { identity, spec, hosts = [] }: DeploymentOrder): Promise<void> {
  const config = resolveConfig(await configOf(client, identity), spec.config, spec);
  const conflict = orderedPreviewConflict(identity, config);
  if (conflict) throw conflict;
  await claimHosts(client, identity, [...hosts, ...namedHosts(config)], previewHostOf(config));
}

/** Requests go to nobody under a name that is another app's: the edge, which all apps share, would refuse it. @throws DeployError `domain_taken` */
export async function claimForTraffic(client: Client, { preview, hosts, ...place }: Traffic): Promise<void> {
  await claimHosts(client, place, [...hosts, ...(preview ? [preview.host] : [])], preview?.host);
}

/** A host name belongs to the app that was first to ask for it. @throws DeployError `domain_taken` */
async function claimHosts(
  client: Client,
  { app_name, environment }: AppPlace,
  hosts: readonly string[],
  preview: string | undefined,
): Promise<void> {
  const names = [...new Set(hosts)];
  // One that its owner gives up between the two looks belongs to nobody yet.
  for (let owned = 0; owned < names.length;) {
    await client.query(
      `insert into domains (host, app_name, environment) select host, $2, $3 from unnest($1::text[]) as host
       order by host on conflict (host) do nothing`,
      [names, app_name, environment],
    );
    const { rows } = await client.query<{ host: string; own: boolean }>(
      'select host, app_name = $2 and environment = $3 as own from domains where host = any ($1) order by host',
      [names, app_name, environment],
    );
    const foreign = rows.find(({ own }) => !own);
    if (foreign) {
      const path = hostField(foreign.host, preview);
      const message = `${foreign.host} belongs to another app`;
      throw new DeployError('domain_taken', `${path}: ${message}.`, { fields: [{ path, message }] });
    }
    owned = rows.length;
  }
}

/**
 * Names that neither serve, nor are configured, nor are asked for by a deployment to come are free for others. One that is configured
 * stays though it does not serve: the next deployment serves it again without asking.
 */
export async function releaseHosts(client: Client, place: AppPlace): Promise<void> {
  const config = await configOf(client, place);
  await client.query(
    `delete from domains where app_name = $1 and environment = $2 and host <> all ($3::text[])
       and not exists (select 1 from deployments where app_name = $1 and environment = $2 and finished_at is null)
       and not exists (select 1 from traffic where app_name = $1 and environment = $2
         and (traffic -> 'hosts' ? host or traffic #>> '{preview,host}' = host))`,
    [place.app_name, place.environment, config ? namedHosts(config) : []],
  );
}

async function configOf(client: Client, { app_name, environment }: AppPlace): Promise<AppConfig | undefined> {
  const { rows } = await client.query<{ config: AppConfig | null }>(
    'select config from apps where app_name = $1 and environment = $2',
    [app_name, environment],
  );
  return rows[0]?.config ?? undefined;
}
