/** What an app is configured to be, what a deployment asks for, and how the two become one configuration. */
import type { DeploymentIdentity } from './facts.js';
import type { Phase } from './phases.js';
import type { PluginUse } from './hooks.js';
import { DEFAULT_STRATEGIES, type Strategy, type StrategyType } from './strategy.js';

export interface PortMapping {
  readonly container_port: number;
  readonly host_port: number;
  readonly protocol: 'tcp' | 'udp';
}

export interface VolumeMount {
  /** A named volume, or an absolute path of the host. */
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
}

export interface Resources {
  /** Cores, fractions allowed. */
  readonly cpu_limit?: number;
  readonly memory_limit_mb?: number;
  readonly cpu_reservation?: number;
  readonly memory_reservation_mb?: number;
}

export interface HealthCheck {
  /** HTTP path that must answer 2xx or 3xx; without it a TCP connection must be accepted. */
  readonly path?: string;
  readonly port?: number;
  readonly interval_ms: number;
  readonly timeout_ms: number;
  /** Successes in a row that make a replica healthy. */
  readonly healthy_threshold: number;
  readonly deadline_ms: number;
  /** How long the replicas must stay healthy afterwards. */
  readonly bake_ms: number;
}

export const VALIDATION_LEVELS = ['none', 'basic', 'strict'] as const;
export type ValidationLevel = (typeof VALIDATION_LEVELS)[number];

export const ON_CONFLICT = ['queue', 'supersede', 'reject'] as const;
export type OnConflict = (typeof ON_CONFLICT)[number];

export const ON_FIRST_FAILURE = ['remove', 'keep'] as const;
export type OnFirstFailure = (typeof ON_FIRST_FAILURE)[number];

/** Everything about an app that outlives one deployment. Values of `env` and `secrets` are sealed (see the `Secrets` port). */
export interface AppConfig {
  readonly replicas: number;
  readonly env: Readonly<Record<string, string>>;
  /** Files under /run/secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly ports: readonly PortMapping[];
  readonly volumes: readonly VolumeMount[];
  readonly resources: Resources;
  /** Arguments that replace the image's CMD; empty = the image's own. */
  readonly command: readonly string[];
  /** The container's HTTP port; 0 = it serves none. */
  readonly port: number;
  readonly domains: readonly string[];
  /** Whether plain HTTP is answered by a redirect to HTTPS, once there is a certificate. */
  readonly force_https: boolean;
  readonly strategy: Strategy;
  readonly health_check?: HealthCheck;
  /** Switched on for every deployment of the app. */
  readonly plugins: readonly PluginUse[];
}

export const DEFAULT_CONFIG: AppConfig = {
  replicas: 1,
  env: {},
  secrets: {},
  ports: [],
  volumes: [],
  resources: {},
  command: [],
  port: 80,
  domains: [],
  force_https: false,
  strategy: DEFAULT_STRATEGIES.rolling,
  plugins: [],
};

export const DEFAULT_HEALTH_CHECK: HealthCheck = {
  interval_ms: 1_000,
  timeout_ms: 2_000,
  healthy_threshold: 2,
  deadline_ms: 60_000,
  bake_ms: 0,
};

/** Names that get a (sealed) value or, by null, are taken away; all others stay. */
export interface ConfigMerge {
  readonly env?: Readonly<Record<string, string | null>>;
  readonly secrets?: Readonly<Record<string, string | null>>;
}

/** What is left out keeps the app's current value; where the configuration is `whole`, only the number of replicas does. */
export function resolveConfig(
  current: AppConfig | undefined,
  asked: Partial<AppConfig>,
  { merge = {}, whole = false }: Pick<DeploySpec, 'merge' | 'whole'> = {},
): AppConfig {
  const kept = whole && current ? { replicas: current.replicas } : current;
  const replaced = { ...DEFAULT_CONFIG, ...kept, ...asked };
  const config = {
    ...replaced,
    env: merged(replaced.env, merge.env),
    secrets: merged(replaced.secrets, merge.secrets),
  };
  // Earlier versions of FlukeDeploy stored the name of the strategy alone.
  const strategy: Strategy | StrategyType = config.strategy;
  return typeof strategy === 'string' ? { ...config, strategy: DEFAULT_STRATEGIES[strategy] } : config;
}

/** The values with what is set and without what is taken away. */
export function merged(
  values: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const all = Object.entries({ ...values, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Whether the app's replicas cannot run beside those of another version: a host port has one holder, a volume one writer. */
export function isExclusive({ ports, volumes }: Pick<AppConfig, 'ports' | 'volumes'>): boolean {
  return ports.length > 0 || volumes.length > 0;
}

/** Names of the volumes, without the folders of the host. */
export function namedVolumes({ volumes }: Pick<AppConfig, 'volumes'>): string[] {
  return [...new Set(volumes.map(({ source }) => source).filter((source) => !source.startsWith('/')))];
}

export type Source =
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'archive'; readonly bytes: number; readonly sha256: string }
  /** `token` is sealed; `commit` was resolved when the deployment was asked for. */
  | {
      readonly kind: 'git';
      readonly url: string;
      readonly ref: string;
      readonly commit: string;
      readonly token?: string;
    }
  | { readonly kind: 'dockerfile'; readonly dockerfile: string }
  | { readonly kind: 'captain_definition'; readonly definition: Readonly<Record<string, unknown>> }
  /** The image of the release that is live when the deployment starts: only the configuration changes. */
  | { readonly kind: 'live' }
  /** The image of an earlier release. */
  | {
      readonly kind: 'release';
      readonly release: number;
      readonly version: string;
      readonly image: string;
      readonly image_digest?: string;
      readonly commit?: string;
    };

/** The immutable order behind one deployment, as it is stored. */
export interface DeploySpec {
  readonly source: Source;
  readonly config: Partial<AppConfig>;
  /** Names of `env` and `secrets` that change when the deployment starts, so that orders in a line add up. */
  readonly merge?: ConfigMerge;
  /** `config` says everything but the number of replicas: what it leaves out is not configured. */
  readonly whole?: boolean;
  readonly validation_level: ValidationLevel;
  readonly auto_rollback: boolean;
  readonly on_conflict: OnConflict;
  /** What becomes of a version that fails when there is none before it; `remove` where it is left out. */
  readonly on_first_failure?: OnFirstFailure;
  /** Switched on for this deployment. */
  readonly plugins?: readonly PluginUse[];
  /** Those that the server switched on for every app when this was asked for. */
  readonly server_plugins?: readonly PluginUse[];
  /** New replicas even where what runs is just what is asked for. */
  readonly fresh?: boolean;
}

/** Whether an image that was built or fetched before runs again. */
export function runsAgain(source: Source): source is Extract<Source, { kind: 'live' | 'release' }> {
  return source.kind === 'live' || source.kind === 'release';
}

/** Which optional phases have nothing to do, and why. */
export function skippedPhases(spec: DeploySpec, config: AppConfig): Partial<Record<Phase, string>> {
  return {
    ...(spec.source.kind === 'image' && { pre_build: 'an image was given, there is no source to check' }),
    ...(runsAgain(spec.source) && {
      pre_build: 'the image is there, there is no source to check',
      build: 'the image is there, nothing is built',
    }),
    ...(spec.validation_level === 'none' &&
      pluginUses(spec, config).length === 0 && {
        pre_deploy: 'validation_level is none, and no plugin is switched on',
      }),
    ...(config.replicas === 0 && { post_deploy: 'no replicas were asked for, there is nothing to probe' }),
  };
}

/** What is switched on: the deployment's word counts before the app's, and the app's before the server's. */
export function pluginUses(
  { plugins = [], server_plugins = [] }: Pick<DeploySpec, 'plugins' | 'server_plugins'>,
  config: Pick<AppConfig, 'plugins'>,
): readonly PluginUse[] {
  const byName = new Map([...server_plugins, ...config.plugins, ...plugins].map((use) => [use.name, use]));
  return [...byName.values()];
}

/** Whether one of the `pluginUses` is the server's, which neither the app nor the deployment has replaced. */
export function isOfServer({ server_plugins = [] }: Pick<DeploySpec, 'server_plugins'>, use: PluginUse): boolean {
  return server_plugins.includes(use);
}

/** How people see the source: in lists, in the first line of the log. Holds no secret. */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'image':
      return source.image;
    case 'archive':
      return `archive sha256:${source.sha256.slice(0, 12)}`;
    case 'git':
      return `${source.url}#${source.ref}@${source.commit.slice(0, 12)}`;
    case 'dockerfile':
      return 'Dockerfile text';
    case 'captain_definition':
      return 'captain-definition';
    case 'live':
      return 'the live release';
    case 'release':
      return `release ${source.release}`;
  }
}

/** Label of the release where none was asked for: the image's tag, the commit, else the release number. */
export function defaultVersion(source: Source, release: number): string {
  if (source.kind === 'git') return source.commit.slice(0, 12);
  if (source.kind === 'release') return source.version;
  if (source.kind === 'image') {
    const tag = /:([\w][\w.-]{0,127})$/.exec(source.image.replace(/@.*$/, ''))?.[1];
    // An image id has its digits where others have a tag.
    if (tag !== undefined && tag !== 'latest' && !source.image.startsWith('sha256:')) return tag;
  }
  return `v${release}`;
}

/** The app in one environment: its plain name in production, as CapRover has it; names cannot hold `--`, so none collide. */
export function placeName(appName: string, environment: string): string {
  return environment === 'production' ? appName : `${appName}--${environment}`;
}

/** Swarm service of one deployment of the app: names of apps cannot hold `_`, so none collide. */
export function serviceName({
  app_name,
  environment,
  release,
}: Pick<DeploymentIdentity, 'app_name' | 'environment' | 'release'>): string {
  return `${placeName(app_name, environment)}_r${release}`;
}
