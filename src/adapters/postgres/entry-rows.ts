/** How a stored entry is read: its columns, its shape as a LogRow, and filters as SQL. */
import { encodeCursor } from '../../domain/cursor.js';
import { LOG_LEVELS, type EventMetadata, type LogRow } from '../../domain/log-entry.js';
import type { DeploymentStatus, Phase } from '../../domain/phases.js';
import type { LogFilter } from '../../domain/ports.js';

export interface EntryRow {
  deployment_id: string;
  sequence: number;
  position: string;
  at: Date;
  level: number;
  app_name: string;
  environment: string;
  status: DeploymentStatus;
  component: string;
  instance: string;
  phase: Phase | null;
  attempt: number | null;
  event_type: LogRow['event_type'] | null;
  message: string;
  metadata: EventMetadata | null;
}

export const ENTRY_COLUMNS =
  'deployment_id, sequence, position::text, at, level, app_name, environment, status, component, instance, phase, attempt, event_type, message, metadata';

export function toLogRow(entry: EntryRow, epoch: string): LogRow {
  return {
    deployment_id: entry.deployment_id,
    app_name: entry.app_name,
    environment: entry.environment,
    sequence: entry.sequence,
    cursor: encodeCursor({ epoch, position: Number(entry.position) }),
    at: entry.at.toISOString(),
    level: LOG_LEVELS[entry.level] ?? 'error',
    status: entry.status,
    component: entry.component,
    instance: entry.instance,
    message: entry.message,
    ...(entry.phase && { phase: entry.phase }),
    ...(entry.attempt !== null && { attempt: entry.attempt }),
    ...(entry.event_type && { event_type: entry.event_type }),
    ...(entry.metadata && { metadata: entry.metadata }),
  };
}

/** SQL conditions of the filter; values are appended to `values`. */
export function filterConditions(filter: LogFilter, values: unknown[]): string[] {
  const is = (column: string, operator: string, value: unknown): string =>
    `${column} ${operator} $${values.push(value)}`;
  return [
    ...(filter.deployment_id ? [is('deployment_id', '=', filter.deployment_id)] : []),
    ...(filter.app_name ? [is('app_name', '=', filter.app_name)] : []),
    ...(filter.phase ? [is('phase', '=', filter.phase)] : []),
    ...(filter.event_type ? [is('event_type', '=', filter.event_type)] : []),
    ...(filter.apps ? [`app_name like any ($${values.push(likePatterns(filter.apps))})`] : []),
    // A literal, not a parameter: only so can the planner use the partial indexes of warnings and errors.
    ...(filter.level && filter.level !== 'debug' ? [`level >= ${LOG_LEVELS.indexOf(filter.level)}`] : []),
  ];
}

/** App patterns for `like any`: names are [a-z0-9-], so `*` is the only sign that means something. */
export function likePatterns(apps: readonly string[]): string[] {
  return apps.map((app) => app.replaceAll('*', '%'));
}
