/** `flukedeploy apps`, `releases`, `rollback`, `scale` and `restart`: what there is, and deployments of what is there. */
import { randomUUID } from 'node:crypto';
import type { AppAnswer, ReleaseAnswer } from './answers.js';
import type { AppChange } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { shortTime, table, underBold } from './table.js';
import type { Paint } from './terminal.js';
import { sent, watchAccepted, type AcceptedOptions } from './watch.js';

export interface AppOptions {
  readonly environment?: string;
  readonly json?: boolean;
}

export interface ChangeOptions extends AppOptions, AcceptedOptions {
  readonly reason?: string;
  readonly idempotencyKey?: string;
}

export interface RollbackOptions extends ChangeOptions {
  readonly to?: number;
  readonly version?: string;
}

export async function apps(context: CommandContext, { json }: AppOptions): Promise<number> {
  const { terminal } = context;
  const answer = await (await context.api()).apps();
  if (json) terminal.json(answer);
  else terminal.print(appLines(answer.apps, terminal.paint));
  return EXIT.success;
}

export async function releases(
  context: CommandContext,
  app: string,
  { json, environment, limit }: AppOptions & { readonly limit: number },
): Promise<number> {
  const { terminal } = context;
  const answer = await (await context.api()).releases(app, environment, limit);
  if (json) {
    terminal.json(answer);
    return EXIT.success;
  }
  terminal.print(releaseLines(answer.releases, terminal.paint));
  const more = answer.total - answer.releases.length;
  if (more > 0) terminal.note(`${more} older ones: --limit ${answer.total}`);
  return EXIT.success;
}

export function rollback(context: CommandContext, app: string, options: RollbackOptions): Promise<number> {
  const { to, version } = options;
  const target = { ...(to !== undefined && { release: to }), ...(version !== undefined && { version }) };
  return change(context, app, 'rollback', target, options);
}

export function scale(context: CommandContext, app: string, replicas: number, options: ChangeOptions): Promise<number> {
  return change(context, app, 'scale', { replicas }, options);
}

export function restart(context: CommandContext, app: string, options: ChangeOptions): Promise<number> {
  return change(context, app, 'restart', {}, options);
}

/** Asks for the change, then watches the deployment that it is. */
async function change(
  context: CommandContext,
  app: string,
  what: AppChange,
  fields: Readonly<Record<string, string | number>>,
  options: ChangeOptions,
): Promise<number> {
  const { environment, reason, idempotencyKey: key = randomUUID() } = options;
  const body = {
    ...fields,
    ...(environment !== undefined && { environment }),
    ...(reason !== undefined && { reason }),
  };
  const api = await context.api();
  const accepted = await sent(context.terminal, key, () => api.change(app, what, body, key));
  return watchAccepted(context, api, accepted, options);
}

function appLines(all: readonly AppAnswer[], paint: Paint): string[] {
  const rows = all.map(({ app_name, environment, live, config, hosts }) => [
    app_name,
    environment,
    live ? String(live.release) : '–',
    live?.version ?? '–',
    String(config?.replicas ?? 0),
    hosts.join(', '),
  ]);
  return underBold(table(['APP', 'ENVIRONMENT', 'RELEASE', 'VERSION', 'REPLICAS', 'HOSTS'], rows), paint);
}

function releaseLines(all: readonly ReleaseAnswer[], paint: Paint): string[] {
  const rows = all.map(({ release, live, version, source, actor, created_at, deployment_id }) => [
    `${release}${live ? ' live' : ''}`,
    version,
    shortTime(created_at),
    source,
    actor,
    deployment_id,
  ]);
  return underBold(table(['RELEASE', 'VERSION', 'CREATED', 'SOURCE', 'BY', 'DEPLOYMENT'], rows), paint);
}
