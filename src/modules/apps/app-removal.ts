/** Removes an app: first from what is known, so that nothing starts any more, then from the edge and the cluster. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import { AppStore, Cluster, Secrets, type AppPlace, type Principal, type Removal } from '../../domain/ports.js';
import { JobCleanup } from '../deployments/index.js';
import { EdgeRouter } from '../edge/index.js';
import { planHash, PolicyGate } from '../policy/index.js';
import type { VolumeChoice } from './apps.dto.js';
import type { KeptView, RemovedAppView } from './removed-app.view.js';

/** Containers get 10 s to stop, and hold their volumes until then. */
const VOLUMES_FREE_MS = 20_000;
const LOOK_EVERY_MS = 500;

@Injectable()
export class AppRemoval {
  readonly #logger = new Logger(AppRemoval.name);

  constructor(
    private readonly apps: AppStore,
    private readonly cluster: Cluster,
    private readonly jobs: JobCleanup,
    private readonly router: EdgeRouter,
    private readonly policy: PolicyGate,
    private readonly secrets: Secrets,
  ) {}

  /**
   * Where a crash cuts it off, asking again goes on.
   * @throws DeployError `app_not_found`, `deployment_in_progress`
   */
  async remove(place: AppPlace, volumes: VolumeChoice, principal: Principal): Promise<RemovedAppView> {
    await this.policy.admitNow(
      principal,
      { kind: 'remove', ...place },
      { plan_hash: planHash(this.secrets, ['remove', place, volumes]), summary: `remove it; volumes: ${volumes}` },
    );
    const removal = await this.apps.remove(place);
    if (removal === undefined) throw new DeployError('app_not_found');
    const target = `${place.app_name}/${place.environment}`;

    // Requests first: they end at a page of the edge, not at an address that nobody has.
    await this.router.sync().catch((error: unknown) => {
      this.#logger.warn(`The edge learns of the end of ${target} later: ${String(error)}`);
    });
    const services = await this.#removeServices(removal);
    await this.jobs.removeOf(removal);
    const gone = volumes === 'remove' ? await this.#removeVolumes(removal.volumes) : [];
    const left = removal.volumes.filter((name) => !gone.includes(name));
    // What a container holds on to can be removed by asking again.
    if (volumes === 'keep' || left.length === 0) await this.apps.removed(removal);
    return viewOf(removal, { services, volumes: gone }, left, volumes);
  }

  /** Services of a later release belong to a deployment that came in between. */
  async #removeServices(removal: Removal): Promise<string[]> {
    const services = await this.cluster.services(removal);
    const ours = services.filter(({ managed, release = 0 }) => managed && release <= removal.release);
    for (const { name } of ours) await this.cluster.remove(name);
    return ours.map(({ name }) => name);
  }

  async #removeVolumes(names: readonly string[]): Promise<string[]> {
    const until = performance.now() + VOLUMES_FREE_MS;
    for (;;) {
      const gone = await this.cluster.removeVolumes(names);
      if (gone.length === names.length || performance.now() >= until) return gone;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

function viewOf(
  { app_name, environment, hosts, releases }: Removal,
  removed: { services: string[]; volumes: string[] },
  left: readonly string[],
  choice: VolumeChoice,
): RemovedAppView {
  const reason =
    choice === 'keep'
      ? 'volumes is keep'
      : 'a container still uses it, or FlukeDeploy did not make it: send the request again, or remove it by hand';
  const volumes = left.map((name): KeptView => ({ kind: 'volume', name, reason }));
  const history: KeptView = {
    kind: 'history',
    name: app_name,
    reason: `its deployments and their log stay readable at /api/v1/apps/${app_name}/deployments`,
  };
  return { app_name, environment, removed: { releases, hosts, ...removed }, kept: [...volumes, history] };
}
