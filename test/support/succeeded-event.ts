/** The event of a deployment that has succeeded. */
import type { DeploymentEvent } from '../../src/plugins/notify/deployment-event.js';

export const succeeded: DeploymentEvent = {
  type: 'deployment.succeeded',
  timestamp: '2026-02-03T10:01:05.000Z',
  data: {
    deployment_id: 'dep-1',
    app_name: 'web',
    environment: 'production',
    project: 'default',
    version: '1.0.0',
    release: 7,
    status: 'success',
    kind: 'deploy',
    duration_ms: 65_000,
    actor: 'operator',
    agent: 'claude',
    source: 'registry.example/web:1.0.0',
  },
};
