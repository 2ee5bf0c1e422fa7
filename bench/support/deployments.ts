/** Deployments without Docker: asked for, claimed and led to their end through the stores, with as many lines as wanted. */
import type { Database } from '../../src/adapters/postgres/database.js';
import type {
  Appended,
  AppendItem,
  Claim,
  DeploymentOrder,
  DeploymentStore,
  LogStore,
  PhaseClaims,
} from '../../src/domain/ports.js';
import {
  createDeploymentLog,
  FlukeDeployEventType,
  PHASES,
  PostgresDeploymentStore,
  PostgresLogStore,
  PostgresPhaseClaims,
} from './built.ts';

/** Longer than any benchmark. */
const LEASE_MS = 3_600_000;
const INSTANCE = 'bench/1';

let made = 0;

export function orderFor(app_name: string): DeploymentOrder {
  return {
    identity: {
      id: `dep-bench-${String(++made).padStart(6, '0')}`,
      app_name,
      environment: 'production',
      project: 'default',
      actor: { kind: 'token', name: 'bench' },
      source: 'Dockerfile text',
      timeout_ms: LEASE_MS,
    },
    spec: {
      source: { kind: 'dockerfile', dockerfile: 'FROM busybox:1' },
      config: {},
      validation_level: 'basic',
      auto_rollback: true,
      on_conflict: 'queue',
    },
  };
}

export class Deployments {
  readonly log: LogStore;
  readonly store: DeploymentStore;
  readonly claims: PhaseClaims;

  constructor(database: Database) {
    this.log = new PostgresLogStore(database, INSTANCE);
    this.store = new PostgresDeploymentStore(database, { instance: INSTANCE, retention_days: 90 });
    this.claims = new PostgresPhaseClaims(database, { instance: INSTANCE, lease_ms: LEASE_MS });
  }

  /** A deployment whose first phase is held here, so that no worker touches it. */
  async begin(appName: string): Promise<Claim> {
    const { record } = await this.store.accept(orderFor(appName));
    await this.claims.startWaiting(record.state.identity);
    return this.#claim(record.id, 0);
  }

  /** Leads it to success. */
  async finish(claim: Claim): Promise<void> {
    for (let index = PHASES.indexOf(claim.phase), held = claim; ; held = await this.#claim(claim.record.id, ++index)) {
      const { phase, attempt } = held;
      const fact = { type: 'phase_succeeded', at: time(), phase, attempt, outputs: {} } as const;
      await this.append(held, [{ fact }], true);
      if (index === PHASES.length - 1) return;
    }
  }

  async append({ record, fence }: Claim, items: readonly AppendItem[], release = false): Promise<Appended> {
    const appended = await this.log.append({ deployment_id: record.id, fence, items, release });
    if (appended === undefined) throw new Error(`${record.id} is held by somebody else`);
    return appended;
  }

  async #claim(id: string, phase: number): Promise<Claim> {
    const claim = await this.claims.claim(id, PHASES[phase]!);
    if (claim === undefined) throw new Error(`${id} cannot be claimed`);
    return claim;
  }
}

/** Lines of a build as they are in life: one in 50 a warning, one in 100 an error, one in 50 the result of a probe. */
export function lines(count: number, first = 0): AppendItem[] {
  return Array.from({ length: count }, (_, index) => ({ draft: line(first + index) }));
}

function line(number: number): ReturnType<typeof createDeploymentLog> {
  const level = number % 100 === 99 ? 'error' : number % 50 === 24 ? 'warn' : 'info';
  return createDeploymentLog({
    at: time(),
    phase: 'build',
    attempt: 1,
    level,
    message: `#${number} [build 4/7] RUN npm ci --omit=dev: added ${number % 97} packages in ${number % 13} s, all of them audited`,
    ...(number % 50 === 7 && {
      event_type: FlukeDeployEventType.HEALTH_CHECK,
      metadata: { healthy: true, http_status: 200, duration_ms: 3, url: 'http://10.0.1.7:80/health' },
    }),
  });
}

function time(): string {
  return new Date().toISOString();
}
