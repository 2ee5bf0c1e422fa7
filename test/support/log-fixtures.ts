/** Log entries that carry every key an entry can carry, made by the product's own builders. */
import {
  createDeploymentLog,
  createErrorLog,
  createHealthCheckLog,
  createScaleLog,
  FlukeDeployEventType as Event,
  toEntry,
  type EventMetadata,
  type LogDraft,
  type UnifiedLogEntry,
} from '../../src/domain/log-entry.js';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** All of the metadata at once; the builders overwrite what is theirs. */
export const EVERY_METADATA: Required<EventMetadata> = {
  image: `registry.example/api-server@${DIGEST}`,
  image_digest: DIGEST,
  version: '2.4.1',
  commit: '0123456789abcdef0123456789abcdef01234567',
  duration_ms: 1234,
  replicas_from: 0,
  replicas_to: 3,
  healthy: false,
  http_status: 503,
  exit_code: 137,
  url: 'http://10.0.1.7:80/health?full=yes',
  error_code: 'unhealthy',
  error_message: 'Said "no" — twice.',
  stack: 'Error: no\n    at probe (probe.ts:1:1)',
  hint: 'Look at /health.',
  reason: '503 Service Unavailable',
  rollback_of: 'dep-01jd0000000000000000000001',
  superseded_by: 'dep-01jd0000000000000000000002',
  config_keys: ['env.DATABASE_URL'],
  actor: 'operator',
  on_behalf_of: 'Ada Lovelace',
  agent: 'claude',
  details: { nothing: null, empty: [], deep: [{ fraction: 0.5, text: 'é "quoted"' }] },
};

const common = { at: '2026-02-03T10:00:00.123Z', phase: 'deploy', attempt: 1, metadata: EVERY_METADATA } as const;

function draft(event_type: Event): LogDraft {
  switch (event_type) {
    case Event.HEALTH_CHECK:
      return createHealthCheckLog({
        ...common,
        target: EVERY_METADATA.url,
        healthy: false,
        http_status: 503,
        duration_ms: 12,
        reason: '503 Service Unavailable',
      });
    case Event.SCALE_EVENT:
      return createScaleLog({ ...common, from: 1, to: 3, reason: 'asked for' });
    case Event.BUILD_ERROR:
    case Event.DEPLOY_ERROR:
      return createErrorLog({
        ...common,
        event_type,
        message: 'It failed',
        error: { code: 'build_failed', message: 'No.', retryable: false, hint: 'Read on.', evidence: ['step 3', ''] },
        stack: 'DeployError: No.',
      });
    case Event.PRE_BUILD:
    case Event.BUILD_START:
    case Event.BUILD_COMPLETE:
    case Event.PRE_DEPLOY:
    case Event.DEPLOY_START:
    case Event.DEPLOY_COMPLETE:
    case Event.POST_DEPLOY:
    case Event.CONFIG_CHANGE:
      return createDeploymentLog({ ...common, event_type, message: `It is ${event_type} → ✓` });
  }
}

/** The entry of this event, numbered `sequence`. */
export function entryWithEveryKey(event_type: Event, sequence = 17): UnifiedLogEntry {
  return toEntry({
    ...draft(event_type),
    deployment_id: 'dep-01jd0000000000000000000000',
    app_name: 'api-server',
    environment: 'production',
    sequence,
    cursor: 'e1.2s',
    status: 'deploying',
    instance: 'node-1/worker-3',
  });
}
