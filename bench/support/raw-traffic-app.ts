/** The traffic app as a bare Swarm service, checked by Docker as often as FlukeDeploy checks it. */
import {
  TRAFFIC_APP_PORT,
  trafficApp,
  trafficAppCommand,
  trafficAppEnvironment,
  type TrafficAppOptions,
} from '../../test/support/traffic-app.ts';
import type { RawApp } from '../baselines/raw-service.ts';

const CHECK_EVERY_MS = 500;
/** How long an app may be unhealthy before it is given up, on either side. */
const DEADLINE_MS = 5_000;
const MONITOR_MS = 1_000;
const IMAGE = 'node:24';

/** Fields for `POST /api/v1/deploy` that match `rawTrafficApp`. */
export function deployedTrafficApp(options: TrafficAppOptions, bake_ms = 0): Record<string, unknown> {
  const app = trafficApp(options);
  return {
    ...app,
    health_check: { ...app.health_check, interval_ms: CHECK_EVERY_MS, deadline_ms: DEADLINE_MS, bake_ms },
  };
}

export function rawTrafficApp(name: string, replicas: number, options: TrafficAppOptions): RawApp {
  return {
    name,
    image: IMAGE,
    replicas,
    command: trafficAppCommand(),
    env: trafficAppEnvironment(options),
    health: {
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${TRAFFIC_APP_PORT}/health`],
      interval_ms: CHECK_EVERY_MS,
      retries: DEADLINE_MS / CHECK_EVERY_MS,
    },
    monitor_ms: MONITOR_MS,
  };
}
