/** The unified log entry: its types, the builders that make drafts of it, and the projection of a stored row to the wire. */
import type { Actor } from './deployment.js';
import type { ErrorCode, Failure } from './errors.js';
import type { DeploymentStatus, Phase } from './phases.js';

export const LOG_CONTEXT_URL = 'https://flukebase.me/schemas/unified-log';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export enum FlukeDeployEventType {
  PRE_BUILD = 'pre_build',
  BUILD_START = 'build_start',
  BUILD_COMPLETE = 'build_complete',
  BUILD_ERROR = 'build_error',
  PRE_DEPLOY = 'pre_deploy',
  DEPLOY_START = 'deploy_start',
  DEPLOY_COMPLETE = 'deploy_complete',
  DEPLOY_ERROR = 'deploy_error',
  POST_DEPLOY = 'post_deploy',
  HEALTH_CHECK = 'health_check',
  SCALE_EVENT = 'scale_event',
  CONFIG_CHANGE = 'config_change',
}
export const EVENT_TYPES = Object.values(FlukeDeployEventType);

/** Where an entry comes from: `component` is a phase or a part of FlukeDeploy, `instance` the process that wrote it. */
export interface LogSource {
  readonly system: 'flukedeploy';
  readonly component: string;
  readonly instance: string;
}

/** What the event is about. Nothing else is a term of its own: anything free goes under `details`. */
export interface EventMetadata {
  readonly image?: string;
  readonly image_digest?: string;
  readonly version?: string;
  readonly commit?: string;
  readonly duration_ms?: number;
  readonly replicas_from?: number;
  readonly replicas_to?: number;
  readonly healthy?: boolean;
  readonly http_status?: number;
  readonly exit_code?: number;
  readonly url?: string;
  readonly error_code?: ErrorCode;
  readonly error_message?: string;
  readonly stack?: string;
  readonly hint?: string;
  readonly reason?: string;
  readonly rollback_of?: string;
  readonly superseded_by?: string;
  readonly config_keys?: readonly string[];
  readonly actor?: string;
  readonly agent?: string;
  readonly on_behalf_of?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface FlukeDeployMetadata extends EventMetadata {
  readonly event_type?: FlukeDeployEventType;
  readonly deployment_id: string;
  readonly app_name: string;
  readonly environment: string;
  readonly phase?: Phase;
  readonly status: DeploymentStatus;
  readonly sequence: number;
  readonly cursor: string;
  readonly attempt?: number;
}

export interface UnifiedLogEntry {
  readonly '@context': typeof LOG_CONTEXT_URL;
  readonly '@type': 'UnifiedLogEntry';
  readonly id: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly source: LogSource;
  readonly flukedeploy_metadata: FlukeDeployMetadata;
}

/** An entry before the store has numbered it. */
export interface LogDraft {
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly component: string;
  readonly phase?: Phase;
  readonly attempt?: number;
  readonly event_type?: FlukeDeployEventType;
  readonly metadata?: EventMetadata;
}

/** An entry as it is stored: the draft with its place in the deployment's list and in the one stream of all. */
export interface LogRow extends LogDraft {
  readonly deployment_id: string;
  readonly app_name: string;
  readonly environment: string;
  readonly sequence: number;
  readonly cursor: string;
  readonly status: DeploymentStatus;
  readonly instance: string;
}

/** Every row projects to exactly one entry. */
export function toEntry(row: LogRow): UnifiedLogEntry {
  return {
    '@context': LOG_CONTEXT_URL,
    '@type': 'UnifiedLogEntry',
    id: `${row.deployment_id}-log-${String(row.sequence).padStart(3, '0')}`,
    timestamp: row.at,
    level: row.level,
    message: row.message,
    source: { system: 'flukedeploy', component: row.component, instance: row.instance },
    flukedeploy_metadata: {
      ...(row.event_type && { event_type: row.event_type }),
      deployment_id: row.deployment_id,
      app_name: row.app_name,
      environment: row.environment,
      ...(row.phase && { phase: row.phase }),
      status: row.status,
      sequence: row.sequence,
      cursor: row.cursor,
      ...(row.attempt !== undefined && { attempt: row.attempt }),
      ...row.metadata,
    },
  };
}

type DraftFields = Omit<LogDraft, 'level' | 'component'> & { readonly level?: LogLevel; readonly component?: string };

/** A line of output or a lifecycle event. */
export function createDeploymentLog(fields: DraftFields): LogDraft {
  return { ...fields, level: fields.level ?? 'info', component: fields.component ?? fields.phase ?? 'deployment' };
}

/** A failure, with the stack where one is known: the stack is for people who run FlukeDeploy and never answers a request. */
export function createErrorLog(
  fields: DraftFields & { readonly error: Failure; readonly stack?: string | undefined },
): LogDraft {
  const { error, stack, ...rest } = fields;
  return createDeploymentLog({
    ...rest,
    level: 'error',
    metadata: {
      ...rest.metadata,
      error_code: error.code,
      error_message: error.message,
      ...(error.hint && { hint: error.hint }),
      ...(stack && { stack }),
      ...(error.evidence && { details: { ...rest.metadata?.details, evidence: error.evidence } }),
    },
  });
}

/** One probe of one replica. */
export function createHealthCheckLog(
  fields: Omit<DraftFields, 'message' | 'event_type'> & {
    readonly message?: string;
    readonly target: string;
    readonly healthy: boolean;
    readonly http_status?: number | undefined;
    readonly duration_ms?: number;
    readonly reason?: string | undefined;
  },
): LogDraft {
  const { target, healthy, http_status, duration_ms, reason, message, ...rest } = fields;
  return createDeploymentLog({
    ...rest,
    level: rest.level ?? (healthy ? 'info' : 'warn'),
    message: message ?? `${target} is ${healthy ? 'healthy' : `not healthy: ${reason ?? 'no answer'}`}`,
    event_type: FlukeDeployEventType.HEALTH_CHECK,
    metadata: {
      ...rest.metadata,
      healthy,
      ...(target.includes('://') && { url: target }),
      ...(http_status !== undefined && { http_status }),
      ...(duration_ms !== undefined && { duration_ms }),
      ...(reason !== undefined && { reason }),
    },
  });
}

/** A change of the number of replicas. */
export function createScaleLog(
  fields: Omit<DraftFields, 'message' | 'event_type'> & {
    readonly from: number;
    readonly to: number;
    readonly reason?: string;
  },
): LogDraft {
  const { from, to, reason, ...rest } = fields;
  return createDeploymentLog({
    ...rest,
    message: `Replicas ${from} → ${to}`,
    event_type: FlukeDeployEventType.SCALE_EVENT,
    metadata: { ...rest.metadata, replicas_from: from, replicas_to: to, ...(reason && { reason }) },
  });
}

/** Source of the entries that a plugin's hook makes. */
export function pluginComponent(plugin: string): string {
  return `plugin/${plugin}`;
}

export function actorMetadata({
  name,
  agent,
  on_behalf_of,
}: Actor): Pick<EventMetadata, 'actor' | 'agent' | 'on_behalf_of'> {
  return { actor: name, ...(agent && { agent }), ...(on_behalf_of && { on_behalf_of }) };
}
