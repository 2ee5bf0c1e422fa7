/** What FlukeBase takes, written down from its contract alone: a field more or less is a body that it refuses. */
import { z } from 'zod';

const text = z.string().min(1);
const moment = z.iso.datetime({ precision: 3 }).or(z.iso.datetime());
const count = z.int().min(0);
const optional = <Type extends z.ZodType, Name extends string>(type: Type, ...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, type.optional()])) as unknown as Record<Name, z.ZodOptional<Type>>;

const STATUSES = ['pending', 'building', 'deploying', 'success', 'failed', 'rolled_back', 'cancelled'] as const;
const PHASES = ['pre_build', 'build', 'pre_deploy', 'deploy', 'post_deploy'] as const;
const EVENT_TYPES = [
  ...['pre_build', 'build_start', 'build_complete', 'build_error', 'pre_deploy', 'deploy_start', 'deploy_complete'],
  ...['deploy_error', 'post_deploy', 'health_check', 'scale_event', 'config_change'],
];

const metadata = z.strictObject({
  event_type: z.enum(EVENT_TYPES).optional(),
  deployment_id: text,
  app_name: text,
  environment: text,
  phase: z.enum(PHASES).optional(),
  status: z.enum(STATUSES),
  sequence: z.int().min(1),
  cursor: text,
  ...optional(count, 'attempt', 'duration_ms', 'replicas_from', 'replicas_to', 'http_status', 'exit_code'),
  ...optional(z.string(), 'image', 'image_digest', 'version', 'commit', 'url', 'reason', 'rollback_of'),
  ...optional(z.string(), 'error_code', 'error_message', 'stack', 'hint', 'superseded_by'),
  ...optional(z.string(), 'actor', 'agent', 'on_behalf_of'),
  healthy: z.boolean().optional(),
  config_keys: z.array(text).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const entry = z
  .strictObject({
    '@context': z.literal('https://flukebase.me/schemas/unified-log'),
    '@type': z.literal('UnifiedLogEntry'),
    id: text,
    timestamp: moment,
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    source: z.strictObject({ system: z.literal('flukedeploy'), component: text, instance: text }),
    flukedeploy_metadata: metadata,
  })
  .refine(({ id, flukedeploy_metadata: { deployment_id, sequence } }) => {
    return id === `${deployment_id}-log-${String(sequence).padStart(3, '0')}`;
  }, 'the id does not say the deployment and the sequence');

const summary = z.strictObject({
  deployment_id: text,
  app_name: text,
  environment: text,
  status: z.enum(STATUSES),
  requested_at: moment,
  ...optional(text, 'kind', 'project', 'version', 'source', 'strategy', 'image', 'image_digest', 'commit'),
  ...optional(text, 'actor', 'agent', 'on_behalf_of', 'reason', 'cancel_reason', 'wedo_task_id'),
  ...optional(text, 'rollback_of', 'rolled_back_by', 'failed_phase'),
  ...optional(moment, 'started_at', 'deadline_at', 'finished_at'),
  ...optional(count, 'release', 'rollback_to', 'replicas', 'duration_ms', 'entries'),
  ...optional(z.record(z.string(), z.unknown()), 'phases', 'error', 'rollback', 'links', 'rollout'),
  ...optional(z.array(z.unknown()), 'hooks', 'traffic'),
  has_served: z.boolean().optional(),
});

/** Who sends, and whether the team is to be told at once. */
const envelope = { source: z.literal('flukedeploy'), broadcast: z.boolean().optional() };

const TASK_STATUSES = ['pending', 'in_progress', 'blocked', 'completed', 'failed', 'cancelled'] as const;

const task = {
  description: text,
  status: z.enum(TASK_STATUSES),
  dependency: text,
  priority: text,
  scope: text,
  tags: z.array(text),
  synthesis_note: text,
  metadata: z.record(z.string(), z.unknown()),
};

export const BODIES = {
  log: z.strictObject({ log: entry, ...envelope }),
  batch: z.strictObject({ logs: z.array(entry).min(1), ...envelope }),
  deployment: z.strictObject({ deployment: summary, ...envelope }),
  new_task: z.strictObject(task).partial().extend({ task_id: text, description: text }),
  task: z.strictObject(task).partial().extend({ task_id: text.optional() }),
};

export type SyncedEntry = z.output<typeof entry>;
export type SyncedSummary = z.output<typeof summary>;
export type NewTask = z.output<typeof BODIES.new_task>;
export type TaskChange = z.output<typeof BODIES.task>;
export type TaskStatus = (typeof TASK_STATUSES)[number];
