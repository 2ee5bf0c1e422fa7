/** Every change of an app is a deployment: what is asked for becomes an order, and runs the image that is there. */
import { Injectable } from '@nestjs/common';
import { merged, type ConfigMerge, type DeploySpec } from '../../domain/app-spec.js';
import { DeployError } from '../../domain/errors.js';
import type { DeploymentKind } from '../../domain/facts.js';
import { Secrets, type AppPlace, type AppRecord, type LiveRelease, type Principal } from '../../domain/ports.js';
import { rollbackSpec } from '../../domain/releases.js';
import {
  AppSettings,
  contextOf,
  DeploymentsService,
  ENVIRONMENT_LIMITS,
  idempotencyOf,
  isWithinLimits,
  newIdentity,
  pluginsOf,
  refuse,
  type DeploymentView,
  type PlannedOrder,
  type SecretKind,
} from '../deployments/index.js';
import { Plugins } from '../plugins/index.js';
import { planHash } from '../policy/index.js';
import type { ConfigureAppDto, RestartDto, RollbackDto, ScaleDto } from './apps.dto.js';
import { AppsService } from './apps.service.js';
import { RollbackTargets } from './rollback-target.js';

/** Who asks for it, and the Idempotency-Key that came with it. */
export interface Asker {
  readonly principal: Principal;
  readonly key: string | undefined;
  /** Looks at what would be ordered, and throws where it is not what was meant. A key that is known is past that. */
  readonly agreed?: (order: PlannedOrder) => Promise<void>;
}

interface Draft {
  readonly spec: DeploySpec;
  /** Label of the release whose content it is. */
  readonly version: string;
  readonly rollback?: { readonly rollback_of: string; readonly rollback_to: number };
}

type LiveApp = AppRecord & { readonly live: LiveRelease };

/** The image that is live, as it is configured. */
const AS_IT_IS: DeploySpec = {
  source: { kind: 'live' },
  config: {},
  validation_level: 'basic',
  auto_rollback: true,
  on_conflict: 'queue',
};
/** Fields of a change that are not part of the configuration. */
const BESIDE_CONFIG = ['environment', 'reason', 'on_conflict'];

@Injectable()
export class AppOrders {
  constructor(
    private readonly apps: AppsService,
    private readonly settings: AppSettings,
    private readonly targets: RollbackTargets,
    private readonly deployments: DeploymentsService,
    private readonly secrets: Secrets,
    private readonly plugins: Plugins,
  ) {}

  async configure(name: string, dto: ConfigureAppDto, asker: Asker): Promise<DeploymentView> {
    if (Object.keys(dto).every((field) => BESIDE_CONFIG.includes(field))) {
      const message = 'must name at least one field of the configuration';
      throw new DeployError('invalid_field', `The body ${message}.`, { fields: [{ path: '', message }] });
    }
    this.settings.check(dto, asker.principal);
    const plugins = pluginsOf(dto.plugins);
    await this.plugins.check(plugins.plugins ?? []);
    return this.#order('config', name, dto, asker, (app) => {
      const config = { ...this.settings.config(dto), ...plugins };
      const merge = this.#merge(app, dto);
      return {
        spec: { ...AS_IT_IS, config, ...(merge && { merge }), on_conflict: dto.on_conflict ?? 'queue' },
        version: app.live.version,
      };
    });
  }

  scale(name: string, dto: ScaleDto, asker: Asker): Promise<DeploymentView> {
    const spec = { ...AS_IT_IS, config: { replicas: dto.replicas } };
    return this.#order('scale', name, dto, asker, ({ live: { version } }) => ({ spec, version }));
  }

  restart(name: string, dto: RestartDto, asker: Asker): Promise<DeploymentView> {
    const spec = { ...AS_IT_IS, fresh: true };
    return this.#order('restart', name, dto, asker, ({ live: { version } }) => ({ spec, version }));
  }

  rollback(name: string, dto: RollbackDto, asker: Asker): Promise<DeploymentView> {
    return this.#order('rollback', name, dto, asker, (app) => this.#back(app, dto));
  }

  /** What `rollback` would ask for. @throws DeployError as it does */
  async rollbackOrder(name: string, dto: RollbackDto, principal: Principal): Promise<PlannedOrder> {
    const app = await this.#live(placeOf(name, dto));
    return this.#planned('rollback', app, dto, principal, await this.#back(app, dto));
  }

  async #back(app: LiveApp, { version, release, deployment_id }: RollbackDto): Promise<Draft> {
    const target = await this.targets.find(app, app.live, { version, release, deployment_id });
    const spec = rollbackSpec(target);
    return {
      spec,
      version: target.version,
      rollback: { rollback_of: app.live.deployment_id, rollback_to: target.release },
    };
  }

  /** A key that is known is answered first: what it led to may have changed what is possible now. */
  async #order(
    kind: DeploymentKind,
    name: string,
    dto: RestartDto,
    { principal, key, agreed }: Asker,
    draft: (app: LiveApp) => Draft | Promise<Draft>,
  ): Promise<DeploymentView> {
    const place = placeOf(name, dto);
    const fingerprint = this.secrets.fingerprint(JSON.stringify([kind, place, dto]));
    const idempotency = idempotencyOf(principal, key, fingerprint);
    const known = await this.deployments.replayed(idempotency.idempotency);
    if (known) return known;

    const app = await this.#live(place);
    const order = this.#planned(kind, app, dto, principal, await draft(app));
    await agreed?.(order);
    return this.deployments.deploy({ ...order, ...idempotency }, principal);
  }

  #planned(
    kind: DeploymentKind,
    app: LiveApp,
    dto: RestartDto,
    principal: Principal,
    { spec, version, rollback }: Draft,
  ): PlannedOrder {
    const identity = newIdentity(app, principal, spec.source, dto);
    const place = { app_name: app.app_name, environment: app.environment };
    return {
      identity: { ...identity, kind, project: app.project, version, ...rollback },
      spec,
      hosts: this.settings.hosts(spec.config, app),
      // Going back to another release than the one that was meant is another plan.
      plan_hash: planHash(this.secrets, [kind, place, dto, rollback]),
    };
  }

  /** @throws DeployError `app_not_found`, `app_not_live` */
  async #live(place: AppPlace): Promise<LiveApp> {
    const app = await this.apps.find(place);
    const { live } = app;
    if (live === undefined) {
      throw new DeployError('app_not_live', `No release of ${place.app_name} is live in ${place.environment}.`);
    }
    return { ...app, live };
  }

  /** What changes among names with secret values, sealed. @throws DeployError `invalid_field` when they become too many */
  #merge(app: AppRecord, dto: ConfigureAppDto): ConfigMerge | undefined {
    const changes = (['env', 'secrets'] as const).flatMap((kind) => {
      const asked = dto[kind];
      if (asked === undefined) return [];
      if (!isWithinLimits(merged(this.#opened(kind, app), asked))) {
        throw refuse('invalid_field', kind, `together with what there is, it must be ${ENVIRONMENT_LIMITS}`);
      }
      return [[kind, this.settings.seal(kind, asked, app)] as const];
    });
    return changes.length > 0 ? Object.fromEntries(changes) : undefined;
  }

  #opened(kind: SecretKind, app: AppRecord): Record<string, string> {
    const sealed = Object.entries(app.config?.[kind] ?? {});
    return Object.fromEntries(
      sealed.map(([name, value]) => [name, this.secrets.open(value, contextOf(kind, app, name))]),
    );
  }
}

function placeOf(app_name: string, { environment = 'production' }: RestartDto): AppPlace {
  return { app_name, environment };
}
