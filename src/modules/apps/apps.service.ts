/** What is known of apps and their releases. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import { AppStore, Sboms, Secrets, type AppPlace, type AppRecord, type Sbom } from '../../domain/ports.js';
import { releaseDifferences, type Release } from '../../domain/releases.js';
import { contextOf } from '../deployments/index.js';
import { appView, EdgePorts, type AppListView, type AppView } from './app.view.js';
import { releaseView, type DifferencesView, type ReleaseListView, type ReleaseView } from './release.view.js';

interface Page {
  readonly limit: number;
  readonly offset: number;
}

@Injectable()
export class AppsService {
  constructor(
    private readonly store: AppStore,
    private readonly sboms: Sboms,
    private readonly secrets: Secrets,
    private readonly edge: EdgePorts,
  ) {}

  /** @param apps names or patterns that the reader is limited to */
  async list(apps: readonly string[] | undefined, { limit, offset }: Page): Promise<AppListView> {
    const all = await this.store.list(apps);
    const shown = all.slice(offset, offset + limit).map((app) => appView(app, this.edge));
    return { apps: shown, total: all.length, limit, offset };
  }

  async view(place: AppPlace): Promise<AppView> {
    return appView(await this.find(place), this.edge);
  }

  /** @throws DeployError `app_not_found` */
  async find(place: AppPlace): Promise<AppRecord> {
    const app = await this.store.find(place);
    if (app === undefined) throw new DeployError('app_not_found');
    return app;
  }

  async releases(place: AppPlace, page: Page): Promise<ReleaseListView> {
    const { app_name, environment, live_release } = await this.find(place);
    const { releases, total } = await this.store.releases(place, page);
    return {
      app_name,
      environment,
      releases: releases.map((release) => releaseView(release, live_release)),
      total,
      ...page,
    };
  }

  async release(place: AppPlace, number: number): Promise<ReleaseView> {
    const { live_release } = await this.find(place);
    return releaseView(await this.#release(place, number, 'release'), live_release);
  }

  /** The JSON text of its SBOM. @throws DeployError `sbom_not_found` */
  async sbom(place: AppPlace, number: number): Promise<string> {
    await this.find(place);
    const release = await this.#release(place, number, 'release');
    const sbom = (await this.sboms.find(release.deployment_id)) ?? (await this.#sbomOfOrigin(place, release));
    if (sbom === undefined) throw new DeployError('sbom_not_found');
    return sbom.document;
  }

  /** Values of `env` and `secrets` are compared, and never told. */
  async differences({ app_name, environment }: AppPlace, from: number, to: number): Promise<DifferencesView> {
    const place = { app_name, environment };
    await this.find(place);
    const [before, after] = await Promise.all([this.#release(place, from, 'from'), this.#release(place, to, 'to')]);
    const differences = releaseDifferences(before, after, (sealed, name, kind) =>
      this.secrets.open(sealed, contextOf(kind, place, name)),
    );
    return { ...place, from, to, differences };
  }

  /** A rollback runs the image of its target, which is not always scanned again. */
  async #sbomOfOrigin(place: AppPlace, { release, origin }: Release): Promise<Sbom | undefined> {
    if (origin === release) return undefined;
    const target = await this.store.release(place, { release: origin });
    return target && this.sboms.find(target.deployment_id);
  }

  /** @throws DeployError `release_not_found`, naming the field */
  async #release(place: AppPlace, number: number, path: string): Promise<Release> {
    const release = await this.store.release(place, { release: number });
    if (release) return release;
    const message = `there is no release ${number} of ${place.app_name} in ${place.environment}`;
    throw new DeployError('release_not_found', `${path}: ${message}`, { fields: [{ path, message }] });
  }
}
