/** Orders of deployments for tests of the stores: whatever a test does not care about has a default. */
import type { DeploySpec } from '../../src/domain/app-spec.js';
import type { DeploymentIdentity } from '../../src/domain/deployment.js';
import type { DeploymentOrder } from '../../src/domain/ports.js';

type OrderFields = Partial<Omit<DeploymentIdentity, 'release' | 'source'>> &
  Partial<DeploySpec> &
  Omit<DeploymentOrder, 'identity' | 'spec'>;

let made = 0;

/** Ids rise in the order of making, and are unique within a test file. */
export function orderOf(fields: OrderFields = {}): DeploymentOrder {
  const { source, config, validation_level, auto_rollback, on_conflict, fresh, ...rest } = fields;
  const { idempotency, archive_path, hosts, on_first_failure, ...identity } = rest;
  return {
    identity: {
      id: `dep-${String(++made).padStart(6, '0')}`,
      app_name: 'api-server',
      environment: 'production',
      project: 'default',
      actor: { kind: 'admin', name: 'admin' },
      source: 'registry.example/api-server',
      timeout_ms: 900_000,
      ...identity,
    },
    spec: {
      source: source ?? { kind: 'dockerfile', dockerfile: 'FROM busybox' },
      config: config ?? {},
      validation_level: validation_level ?? 'basic',
      auto_rollback: auto_rollback ?? true,
      on_conflict: on_conflict ?? 'queue',
      ...(fresh !== undefined && { fresh }),
      ...(on_first_failure && { on_first_failure }),
    },
    ...(hosts && { hosts }),
    ...(idempotency && { idempotency }),
    ...(archive_path !== undefined && { archive_path }),
  };
}
