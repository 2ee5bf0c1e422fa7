/** One FlukeDeploy process as PostgreSQL sees it: the stores over one pool, and what its worker does with them. */
import type { Database } from '../../src/adapters/postgres/database.js';
import { PostgresAppStore } from '../../src/adapters/postgres/postgres-app-store.js';
import { PostgresDeploymentStore } from '../../src/adapters/postgres/postgres-deployment-store.js';
import { PostgresLogStore } from '../../src/adapters/postgres/postgres-log-store.js';
import { PostgresPhaseClaims } from '../../src/adapters/postgres/postgres-phase-claims.js';
import { serviceName } from '../../src/domain/app-spec.js';
import { decide, type Fact, type PhaseOutputs } from '../../src/domain/deployment.js';
import { DeployError, type ErrorCode } from '../../src/domain/errors.js';
import type { Phase } from '../../src/domain/phases.js';
import type { Traffic } from '../../src/domain/traffic.js';
import type { Appended, Claim, DeploymentRecord } from '../../src/domain/ports.js';
import { orderOf } from './deployment-order.js';

export class StoreProcess {
  readonly log: PostgresLogStore;
  readonly deployments: PostgresDeploymentStore;
  readonly claims: PostgresPhaseClaims;
  readonly apps: PostgresAppStore;

  constructor(
    readonly database: Database,
    { instance = 'test/1', lease_ms = 60_000, retention_days = 30 } = {},
  ) {
    this.log = new PostgresLogStore(database, instance);
    this.deployments = new PostgresDeploymentStore(database, { instance, retention_days });
    this.apps = new PostgresAppStore(database);
    this.claims = new PostgresPhaseClaims(database, { instance, lease_ms });
  }

  async accept(fields: Parameters<typeof orderOf>[0] = {}): Promise<DeploymentRecord> {
    return (await this.deployments.accept(orderOf(fields))).record;
  }

  /** Asked for and started: the first phase is due. */
  async start(fields: Parameters<typeof orderOf>[0] = {}): Promise<DeploymentRecord> {
    const { id, state } = await this.accept(fields);
    await this.claims.startWaiting(state.identity);
    return this.record(id);
  }

  async record(id: string): Promise<DeploymentRecord> {
    const record = await this.deployments.find(id);
    if (record === undefined) throw new DeployError('deployment_not_found');
    return record;
  }

  /** Claims whichever phase the deployment's state asks for next; `undefined` when there is none, or it cannot be had now. */
  async claimNext(id: string): Promise<Claim | undefined> {
    const decision = decide((await this.record(id)).state);
    return decision.kind === 'run' ? this.claims.claim(id, decision.phase) : undefined;
  }

  /** As `claimNext`, where the test needs the claim. */
  async held(id: string): Promise<Claim> {
    const claim = await this.claimNext(id);
    if (claim === undefined) throw new Error(`nothing of ${id} can be claimed`);
    return claim;
  }

  succeed({ phase, attempt, ...claim }: Claim, outputs: PhaseOutputs = {}): Promise<Appended | undefined> {
    return this.#commit(claim, { type: 'phase_succeeded', at: now(), phase, attempt, outputs });
  }

  fail({ phase, attempt, ...claim }: Claim, code: ErrorCode): Promise<Appended | undefined> {
    const error = new DeployError(code).toFailure();
    return this.#commit(claim, { type: 'phase_failed', at: now(), phase, attempt, error });
  }

  release({ phase, attempt, ...claim }: Claim): Promise<Appended | undefined> {
    return this.#commit(claim, { type: 'phase_released', at: now(), phase, attempt, reason: 'shutdown' });
  }

  cancel(id: string): Promise<Appended | undefined> {
    const actor = { kind: 'admin', name: 'admin' } as const;
    const fact = { type: 'cancel_requested', at: now(), actor, reason: 'a test' } as const;
    return this.log.append({ deployment_id: id, items: [{ fact }] });
  }

  /** Leads a deployment whose turn it is through all its phases; its last one can leave outputs behind. */
  async finish(id: string, outputs: PhaseOutputs = {}): Promise<DeploymentRecord> {
    const { identity } = (await this.record(id)).state;
    await this.claims.startWaiting(identity);
    for (let claim = await this.claimNext(id); claim !== undefined; claim = await this.claimNext(id)) {
      await this.succeed(claim, outputs);
    }
    return this.record(id);
  }

  /** Leads a deployment whose turn it is to this phase, and holds it. */
  async reach(id: string, phase: Phase): Promise<Claim> {
    await this.claims.startWaiting((await this.record(id)).state.identity);
    for (;;) {
      const claim = await this.held(id);
      if (claim.phase === phase) return claim;
      await this.succeed(claim);
    }
  }

  /** The requests go to the deployment's version from now on, or (`serving` false) it is only shown. */
  async shift(claim: Claim, { serving = true, hosts = [] as readonly string[], stable = true } = {}): Promise<Traffic> {
    const { phase, attempt, fence } = claim;
    const { identity } = claim.record.state;
    const { app_name, environment, project, release } = identity;
    const backend = { service: serviceName(identity), deployment_id: identity.id, release, port: 80 };
    const traffic = { app_name, environment, project, hosts, force_https: false, stable: stable ? [backend] : [] };
    const place = { at: now(), phase, attempt };
    const fact = { type: 'traffic_shifted', traffic, retiring: [], serving, summary: 'shifted', ...place } as const;
    const appended = await this.log.append({ deployment_id: identity.id, fence, items: [{ fact }] });
    if (appended === undefined) throw new Error(`${identity.id} is not held any more`);
    return traffic;
  }

  /** As `finish`, where a phase is held already. */
  async finishHeld(id: string, outputs: PhaseOutputs = {}): Promise<DeploymentRecord> {
    await this.expireLease(id);
    return this.finish(id, outputs);
  }

  /** From the order to the success: the version serves. */
  async goLive(fields: Parameters<typeof orderOf>[0] = {}, image = 'api-server@sha256:1'): Promise<DeploymentRecord> {
    const { id } = await this.accept(fields);
    const claim = await this.reach(id, 'deploy');
    await this.shift(claim, { hosts: fields.hosts ?? [] });
    await this.succeed(claim, { image });
    return this.finish(id);
  }

  /** A deployment that fails in its deploy phase, after its version has met requests or before. */
  async goWrong(fields: Parameters<typeof orderOf>[0] = {}, served = true): Promise<DeploymentRecord> {
    const { id } = await this.accept(fields);
    const claim = await this.reach(id, 'deploy');
    if (served) await this.shift(claim, { hosts: fields.hosts ?? [] });
    await this.fail(claim, 'unhealthy');
    return this.record(id);
  }

  /** The lease of a worker that died runs out. */
  async expireLease(id: string): Promise<void> {
    await this.database.query(
      `update deployments set lease_until = clock_timestamp() - interval '1 second' where id = $1 and lease_until is not null`,
      [id],
    );
  }

  /** The time that a retry waits for has come. */
  async passBackoff(id: string): Promise<void> {
    await this.database.query(
      'update deployments set due_at = clock_timestamp() where id = $1 and due_at > clock_timestamp()',
      [id],
    );
  }

  #commit({ record, fence }: Pick<Claim, 'record' | 'fence'>, fact: Fact): Promise<Appended | undefined> {
    return this.log.append({ deployment_id: record.id, fence, items: [{ fact }], release: true });
  }
}

function now(): string {
  return new Date().toISOString();
}
