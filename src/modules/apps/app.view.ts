/** An app as the API shows it: never a value of its environment variables and secrets. */
import { ApiProperty } from '@nestjs/swagger';
import { DEFAULT_CONFIG, type AppConfig } from '../../domain/app-spec.js';
import type { PluginUse } from '../../domain/hooks.js';
import type { AppRecord } from '../../domain/ports.js';
import { servicesOf } from '../../domain/rollout-plan.js';
import type { Strategy } from '../../domain/strategy.js';
import { HealthCheckDto, PluginUseDto, PortDto, ResourcesDto, VolumeDto } from '../deployments/index.js';

export class ConfigView {
  /** Replicas that are wanted. */
  replicas!: number;
  /** Names only. */
  env!: string[];
  /** Names only. */
  secrets!: string[];
  @ApiProperty({ type: [PortDto] })
  ports!: readonly PortDto[];
  @ApiProperty({ type: [VolumeDto] })
  volumes!: readonly VolumeDto[];
  resources!: ResourcesDto;
  @ApiProperty({ type: [String] })
  command!: readonly string[];
  port!: number;
  @ApiProperty({ type: [String] })
  domains!: readonly string[];
  force_https!: boolean;
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'With all of its parameters.' })
  strategy!: Strategy;
  health_check?: HealthCheckDto;
  /** Switched on for every deployment of the app. */
  @ApiProperty({ type: [PluginUseDto] })
  plugins!: readonly PluginUse[];
}

export class LiveReleaseView {
  release!: number;
  version!: string;
  image!: string;
  image_digest?: string;
  deployment_id!: string;
  /** ISO 8601 UTC. */
  created_at!: string;
}

export class AppLinks {
  self!: string;
  releases!: string;
  deployments!: string;
}

export class AppView {
  app_name!: string;
  environment!: string;
  project!: string;
  /** Absent before the first success. */
  live?: LiveReleaseView;
  config?: ConfigView;
  /** Host names at which the edge serves it. */
  hosts!: string[];
  urls!: string[];
  /** Swarm services that are in its traffic now. */
  services!: string[];
  links!: AppLinks;
}

export class AppListView {
  apps!: AppView[];
  /** How many there are in all. */
  total!: number;
  limit!: number;
  offset!: number;
}

/** Ports of the edge, as the world reaches it. */
export class EdgePorts {
  constructor(
    /** 0 = there is no edge. */
    readonly http: number,
    readonly https: number,
  ) {}
}

export function appView(
  { app_name, environment, project, live, config, traffic }: AppRecord,
  edge: EdgePorts,
): AppView {
  const self = `/api/v1/apps/${app_name}`;
  const query = environment === 'production' ? '' : `?environment=${environment}`;
  const hosts = [...(traffic?.hosts ?? [])];
  return {
    app_name,
    environment,
    project,
    ...(live && { live }),
    ...(config && { config: configView(config) }),
    hosts,
    urls:
      edge.http > 0 && config?.port !== 0 ? hosts.map((host) => urlOf(host, config?.force_https ?? false, edge)) : [],
    services: servicesOf(traffic),
    links: { self: self + query, releases: `${self}/releases${query}`, deployments: `${self}/deployments${query}` },
  };
}

/** What was stored before a field was known has its default. */
export function configView({ env, secrets, ...config }: AppConfig): ConfigView {
  return { ...DEFAULT_CONFIG, ...config, env: Object.keys(env).sort(), secrets: Object.keys(secrets).sort() };
}

function urlOf(host: string, forceHttps: boolean, { http, https }: EdgePorts): string {
  const [scheme, port, usual] = forceHttps ? ['https', https, 443] : ['http', http, 80];
  return `${scheme}://${host}${port === usual ? '' : `:${port}`}/`;
}
