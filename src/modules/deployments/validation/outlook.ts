/** What an order would become: its configuration, what it would start from, and which plugins would run. Only read, nothing is stored. */
import { Injectable } from '@nestjs/common';
import { defaultVersion, resolveConfig, type AppConfig, type DeploySpec } from '../../../domain/app-spec.js';
import { DeployError } from '../../../domain/errors.js';
import type { Base, DeploymentIdentity } from '../../../domain/facts.js';
import { namedHosts } from '../../../domain/host-names.js';
import type { Hook } from '../../../domain/hooks.js';
import type { Plugin } from '../../../domain/plugin.js';
import {
  AppStore,
  DeploymentStore,
  Secrets,
  type AppRecord,
  type DeploymentOrder,
  type OrderOutlook,
} from '../../../domain/ports.js';
import { Plugins } from '../../plugins/index.js';
import { dueHooks } from '../hooks/due-hooks.js';
import { opened } from '../sealing.js';
import { newValidationId } from './validation-id.js';

export interface Outlook {
  readonly identity: DeploymentIdentity;
  readonly base: Base;
  readonly spec: DeploySpec;
  readonly config: AppConfig;
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly app: AppRecord | undefined;
  readonly line: OrderOutlook;
  /** Those that would run, in order. */
  readonly plugins: Readonly<Record<Hook, readonly Plugin[]>>;
}

@Injectable()
export class Outlooks {
  constructor(
    private readonly apps: AppStore,
    private readonly deployments: DeploymentStore,
    private readonly secrets: Secrets,
    private readonly plugins: Plugins,
  ) {}

  /** @throws DeployError `app_not_found`, `app_not_live` where the order is about an app as it is live */
  async of(order: DeploymentOrder): Promise<Outlook> {
    const { identity: asked } = order;
    const isLive = order.spec.source.kind === 'live';
    const app = await this.apps.find(asked);
    if (isLive) requireLive(app, asked);
    const spec = this.plugins.withServerUses(order.spec);
    const config = resolveConfig(app?.config, spec.config, spec);
    const line = await this.deployments.outlook(asked, [...(order.hosts ?? []), ...namedHosts(config)]);
    const release = line.next_release;
    const identity = {
      ...asked,
      id: newValidationId(),
      release,
      version: asked.version ?? (isLive && app?.live ? app.live.version : defaultVersion(spec.source, release)),
      ...(isLive && app && { project: app.project }),
    };
    const due = (hook: Hook): readonly Plugin[] =>
      dueHooks(this.plugins.all, hook, identity, spec, config).due.map(({ plugin }) => plugin);
    const plugins = { pre_build: due('pre_build'), pre_deploy: due('pre_deploy'), post_deploy: due('post_deploy') };
    return { identity, base: baseOf(app), spec, config, ...opened(this.secrets, asked, config), app, line, plugins };
  }
}

function requireLive(app: AppRecord | undefined, { app_name, environment }: DeploymentOrder['identity']): void {
  if (app === undefined)
    throw new DeployError('app_not_found', `There is no app ${app_name} in ${environment}, and no source was sent.`);
  if (app.live === undefined)
    throw new DeployError(
      'app_not_live',
      `No release of ${app_name} is live in ${environment}, and no source was sent.`,
    );
}

function baseOf(app: AppRecord | undefined): Base {
  const { live, traffic, config, retiring = [] } = app ?? {};
  return {
    ...(live && { release: live.release, version: live.version, image: live.image }),
    ...(live?.image_digest !== undefined && { image_digest: live.image_digest }),
    replicas: config?.replicas ?? 0,
    retiring,
    ...(traffic && { traffic }),
  };
}
