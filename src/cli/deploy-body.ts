/** From the options of `deploy` to the body of `POST /api/v1/deploy`, and to what is uploaded with it. */
import type { HealthCheck, OnConflict, PortMapping, ValidationLevel, VolumeMount } from '../domain/app-spec.js';
import type { PluginUse } from '../domain/hooks.js';
import type { StrategyType } from '../domain/strategy.js';
import type { OrderOptions } from './deploy-options.js';
import { UsageError } from './failures.js';

/** The fields that have options; `--spec` may bring any other. */
export interface DeployBody {
  readonly app_name: string;
  readonly image?: string;
  readonly source?: { readonly git?: { readonly url: string; readonly ref?: string; readonly token?: string } };
  readonly version?: string;
  readonly environment?: string;
  readonly project?: string;
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: readonly PortMapping[];
  readonly volumes?: readonly VolumeMount[];
  readonly port?: number;
  readonly domains?: readonly string[];
  readonly health_check?: Partial<HealthCheck>;
  readonly strategy?: StrategyType;
  readonly validation_level?: ValidationLevel;
  readonly plugins?: readonly PluginUse[];
  readonly auto_rollback?: boolean;
  readonly timeout_seconds?: number;
  readonly on_conflict?: OnConflict;
  readonly reason?: string;
}

export interface Upload {
  readonly kind: 'folder' | 'archive';
  readonly path: string;
}

export interface DeployOrder {
  readonly body: DeployBody;
  readonly upload?: Upload;
}

/** What the options name by file, read. */
export interface OptionFiles {
  readonly spec?: Partial<DeployBody>;
  readonly env?: Readonly<Record<string, string>>;
  readonly git_token?: string;
}

/** @throws UsageError */
export function deployOrder(path: string | undefined, options: OrderOptions, files: OptionFiles = {}): DeployOrder {
  const { spec = {} } = files;
  const app_name = options.app ?? spec.app_name;
  if (app_name === undefined) throw new UsageError('Which app? Name it with --app <name>.');
  const upload = uploadOf(path, options, spec);
  return {
    body: { ...spec, app_name, ...sourceFields(options, files), ...appFields(options, files), ...runFields(options) },
    ...(upload && { upload }),
  };
}

function uploadOf(path: string | undefined, options: OrderOptions, spec: Partial<DeployBody>): Upload | undefined {
  const given = Object.entries({ [`the folder ${path ?? ''}`]: path, ...sourceOptions(options) })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const fromSpec = spec.image !== undefined || spec.source !== undefined;
  if (fromSpec) given.push('the source in --spec');
  if (given.length > 1) throw new UsageError(`One source is deployed at a time, not ${given.join(' and ')}.`);

  if (options.tar !== undefined) return { kind: 'archive', path: options.tar };
  if (options.image !== undefined || options.git !== undefined || fromSpec) return undefined;
  return { kind: 'folder', path: path ?? '.' };
}

function sourceOptions({ image, git, tar }: OrderOptions): Record<string, string | undefined> {
  return { '--image': image, '--git': git, '--tar': tar };
}

function sourceFields({ image, git, ref }: OrderOptions, { git_token: token }: OptionFiles): Partial<DeployBody> {
  if (git === undefined && (ref !== undefined || token !== undefined))
    throw new UsageError('--ref and --git-token-file belong to --git.');
  return {
    ...(image !== undefined && { image }),
    ...(git !== undefined && {
      source: { git: { url: git, ...(ref !== undefined && { ref }), ...(token !== undefined && { token }) } },
    }),
  };
}

function appFields(options: OrderOptions, { spec, env: envFile }: OptionFiles): Partial<DeployBody> {
  const { appVersion, environment, project, replicas, env, publish, volume, port, domain, healthPath } = options;
  return {
    ...(appVersion !== undefined && { version: appVersion }),
    ...(environment !== undefined && { environment }),
    ...(project !== undefined && { project }),
    ...(replicas !== undefined && { replicas }),
    ...((env ?? envFile) && { env: { ...spec?.env, ...envFile, ...env } }),
    ...(publish && { ports: publish }),
    ...(volume && { volumes: volume }),
    ...(port !== undefined && { port }),
    ...(domain && { domains: domain }),
    ...(healthPath !== undefined && { health_check: { ...spec?.health_check, path: healthPath } }),
  };
}

function runFields(options: OrderOptions): Partial<DeployBody> {
  const { strategy, validationLevel, plugin, autoRollback, timeout, onConflict, reason } = options;
  return {
    ...(strategy && { strategy }),
    ...(validationLevel && { validation_level: validationLevel }),
    ...(plugin && { plugins: plugin }),
    ...(!autoRollback && { auto_rollback: false }),
    ...(timeout !== undefined && { timeout_seconds: timeout }),
    ...(onConflict && { on_conflict: onConflict }),
    ...(reason !== undefined && { reason }),
  };
}
