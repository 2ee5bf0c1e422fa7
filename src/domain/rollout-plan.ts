/** The arithmetic of the strategies: how many replicas of which version next, and where the requests go. Pure. */
import { placeName, type AppConfig } from './app-spec.js';
import type { DeploymentIdentity } from './facts.js';
import type { CanaryStrategy, ReplicaShare, RollingStrategy } from './strategy.js';
import type { Backend, Traffic } from './traffic.js';

/** What a wave decides by. Replicas of the version before count as available, those of the new one once they passed their gate. */
export interface WaveInput {
  readonly strategy: RollingStrategy;
  /** Replicas that the new version shall have. */
  readonly wanted: number;
  /** Replicas that both versions are told to have now. */
  readonly before: number;
  readonly fresh: number;
  /** Replicas of the new version that have passed their gate and get requests. */
  readonly ready: number;
}

export interface Wave {
  readonly before: number;
  readonly fresh: number;
}

/**
 * Replicas of both versions from now on, as Kubernetes' Deployment controller reckons them. The old ones that are left when the
 * new version is complete stay: they are taken out of the traffic at once and drained together.
 */
export function nextWave({ strategy, wanted, before, fresh, ready }: WaveInput): Wave {
  const surge = share(strategy.max_surge, wanted, Math.ceil);
  // Both rounded to nothing would never move on.
  const unavailable = Math.max(share(strategy.max_unavailable, wanted, Math.floor), surge === 0 ? 1 : 0);
  const room = wanted + surge - before - fresh;
  const spare = before + ready - (wanted - unavailable);
  return {
    fresh: Math.min(wanted, fresh + Math.max(0, room)),
    before: ready >= wanted ? before : Math.max(0, before - Math.max(0, spare)),
  };
}

function share(amount: ReplicaShare, of: number, round: (number: number) => number): number {
  return typeof amount === 'number' ? amount : round((Number(amount.slice(0, -1)) * of) / 100);
}

/** Replicas that a canary with this percentage of the requests needs. */
export function canaryReplicas(wanted: number, weight: number): number {
  return Math.min(wanted, Math.max(1, Math.ceil((wanted * weight) / 100)));
}

/** Host names of the app: its own under the root domain first. */
export function hostsOf(
  { app_name, environment }: Pick<DeploymentIdentity, 'app_name' | 'environment'>,
  domains: readonly string[],
  rootDomain: string | undefined,
): string[] {
  const own = rootDomain === undefined ? [] : [`${placeName(app_name, environment)}.${rootDomain}`];
  return [...new Set([...own, ...domains.map((domain) => domain.toLowerCase())])];
}

/** The app's traffic before any of it goes to a new version; what is configured newly applies at once. */
export function trafficOf(
  { app_name, environment, project }: Pick<DeploymentIdentity, 'app_name' | 'environment' | 'project'>,
  { force_https, port }: Pick<AppConfig, 'force_https' | 'port'>,
  hosts: readonly string[],
  stable: readonly Backend[],
): Traffic {
  // What serves no HTTP is reached by no host name.
  return { app_name, environment, project, hosts: port > 0 ? hosts : [], force_https, stable };
}

/** Requests go to the old version and to those replicas of the new one that have proved themselves. */
export function mixed(traffic: Traffic, before: readonly Backend[], fresh: Backend): Traffic {
  return { ...withoutGuests(traffic), stable: [...before, ...(fresh.addresses?.length === 0 ? [] : [fresh])] };
}

/** All requests go to one version; its replicas are found by DNS from now on. */
export function switched(traffic: Traffic, { addresses: _, ...fresh }: Backend): Traffic {
  return { ...withoutGuests(traffic), stable: [fresh] };
}

/** A percentage of the requests goes to the canary. */
export function weighted(traffic: Traffic, strategy: CanaryStrategy, backend: Backend, weight: number): Traffic {
  const { stickiness, match } = strategy;
  return { ...withoutGuests(traffic), canary: { backend, weight, stickiness, match } };
}

/**
 * Where a replica of the canary is lost, another takes its place. Those that get requests keep them while they run: a worker that is new
 * here has not asked them yet. With none left the edge gives the canary's share to the stable version.
 * @param running addresses of the canary's replicas that run, as far as can be told
 * @param ready of those that have passed their gate
 */
export function replenished(
  traffic: Traffic,
  wanted: number,
  running: readonly string[],
  ready: readonly string[],
): Traffic {
  const { canary } = traffic;
  if (canary?.backend.addresses === undefined) return traffic;
  const kept = canary.backend.addresses.filter((address) => running.includes(address));
  const missing = Math.max(0, canaryReplicas(wanted, canary.weight) - kept.length);
  const others = ready.filter((address) => !kept.includes(address)).sort();
  const addresses = [...kept, ...others.slice(0, missing)];
  return { ...traffic, canary: { ...canary, backend: { ...canary.backend, addresses } } };
}

/** The new version shows itself at a host name of its own. */
export function previewed(traffic: Traffic, host: string, { addresses: _, ...backend }: Backend): Traffic {
  return { ...withoutGuests(traffic), preview: { host, backend } };
}

function withoutGuests({ canary: _, preview: __, ...traffic }: Traffic): Traffic {
  return traffic;
}

/** Whether two values of plain data are the same; what comes out of a store has its keys in another order. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** The value as text, whatever the order of its keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** Names of the services that the traffic knows. */
export function servicesOf(traffic: Traffic | undefined): string[] {
  if (traffic === undefined) return [];
  const guests = [traffic.canary?.backend, traffic.preview?.backend].filter((backend) => backend !== undefined);
  return [...new Set([...traffic.stable, ...guests].map(({ service }) => service))];
}
