/** Takes away services that answer no requests any more: retired ones in their time, and what a crash has left. */
import { Injectable } from '@nestjs/common';
import { AppStore, Cluster, Edge, type AppPlace, type AppRecord, type ServiceView } from '../../../domain/ports.js';
import { servicesOf } from '../../../domain/rollout-plan.js';
import type { Retiring } from '../../../domain/traffic.js';

/** So long the open requests of a service that nobody retired properly are waited for. */
const PATIENCE_MS = 30_000;

@Injectable()
export class Retirement {
  /** When this process first saw a service that nothing speaks of. */
  readonly #firstSeen = new Map<string, number>();

  constructor(
    private readonly apps: AppStore,
    private readonly cluster: Cluster,
    private readonly edge: Edge,
  ) {}

  async round(): Promise<void> {
    await this.apps.exclusively('flukedeploy-retirement', false, () => this.#look());
  }

  async #look(): Promise<void> {
    // Services first: an app is stored before its first service is made.
    const services = await this.cluster.services();
    const apps = await this.apps.list();
    for (const app of apps) {
      const surplus = surplusOf(app, services);
      const due = surplus.some(({ name }) => this.#isDue(name, app.retiring));
      const isStale = app.retiring.some(({ service }) => !services.some(({ name }) => name === service));
      if (due || isStale) await this.apps.whileIdle(app, (now) => this.#clear(now));
    }
    for (const { name, ...service } of services) {
      if (!apps.some((app) => isOf(app, service))) await this.cluster.remove(name);
    }
  }

  /** Nothing of the app changes meanwhile. */
  async #clear(app: AppRecord): Promise<readonly Retiring[]> {
    const services = (await this.cluster.services(app)).filter(({ managed }) => managed);
    const gone = new Set<string>();
    for (const { name } of surplusOf(app, services)) {
      if (!this.#isDue(name, app.retiring) || !(await this.#isDrained(name, app.retiring))) continue;
      await this.cluster.remove(name);
      this.#firstSeen.delete(name);
      gone.add(name);
    }
    return app.retiring.filter(({ service }) => !gone.has(service) && services.some(({ name }) => name === service));
  }

  #isDue(name: string, retiring: readonly Retiring[]): boolean {
    const entry = retiring.find(({ service }) => service === name);
    return entry === undefined || Date.parse(entry.not_before) <= Date.now();
  }

  /** Whether its last request is answered, or its time is over. */
  async #isDrained(name: string, retiring: readonly Retiring[]): Promise<boolean> {
    const seen = this.#firstSeen.get(name) ?? Date.now();
    this.#firstSeen.set(name, seen);
    const entry = retiring.find(({ service }) => service === name);
    const until = entry ? Date.parse(entry.until) : seen + PATIENCE_MS;
    if (Date.now() >= until) return true;
    const tasks = await this.cluster.tasks(name);
    const addresses = tasks.map(({ address }) => address).filter((address) => address !== undefined);
    return (await this.edge.openConnections(addresses)) === 0;
  }
}

function surplusOf(app: AppRecord, services: readonly ServiceView[]): ServiceView[] {
  const used = servicesOf(app.traffic);
  return services.filter((service) => isOf(app, service) && !used.includes(service.name));
}

function isOf(place: AppPlace, service: Pick<ServiceView, 'app_name' | 'environment'>): boolean {
  return service.app_name === place.app_name && service.environment === place.environment;
}
