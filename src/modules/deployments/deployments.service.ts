/** What people and agents can do with deployments: ask for one, look at it, wait for it, cancel it. */
import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { isFinal } from '../../domain/phases.js';
import {
  AuditTrail,
  DeploymentStore,
  PhaseClaims,
  Wakeups,
  type DeploymentFilter,
  type DeploymentRecord,
  type DeploymentStats,
  type Idempotency,
  type Principal,
} from '../../domain/ports.js';
import { Logbook, LogHub } from '../logs/index.js';
import { Plugins } from '../plugins/index.js';
import { PolicyGate } from '../policy/index.js';
import { DeploymentLifecycleTracker } from './deployment-lifecycle-tracker.js';
import { deploymentView, type DeploymentView } from './deployment.view.js';
import { actionOf, summaryOf, type PlannedOrder } from './order-action.js';

@Injectable()
export class DeploymentsService {
  readonly #logger = new Logger(DeploymentsService.name);

  constructor(
    private readonly store: DeploymentStore,
    private readonly claims: PhaseClaims,
    private readonly logbook: Logbook,
    private readonly hub: LogHub,
    private readonly wakeups: Wakeups,
    private readonly tracker: DeploymentLifecycleTracker,
    private readonly trail: AuditTrail,
    private readonly plugins: Plugins,
    private readonly policy: PolicyGate,
  ) {}

  /**
   * The deployment exists, durably, once it is accepted; everything after is a matter of time, and no reason to fail.
   * @throws DeployError what policy has against it, and what DeploymentStore.accept does
   */
  async deploy({ plan_hash, ...asked }: PlannedOrder, principal: Principal): Promise<DeploymentView> {
    // What was accepted before is not judged again: its approval is used up.
    const known = await this.replayed(asked.idempotency);
    if (known) return known;
    const order = { ...asked, identity: this.logbook.clean(asked.identity) };
    const permit = await this.policy.admit(principal, actionOf(order), { plan_hash, summary: summaryOf(order) });
    const { record, replayed } = await this.store.accept({
      ...order,
      identity: { ...order.identity, ...(permit?.approval_id && { approval_id: permit.approval_id }) },
      ...(permit && { permit }),
      spec: this.plugins.withServerUses(order.spec),
    });
    if (!replayed) {
      await this.#begin(record).catch((error: unknown) => {
        this.#logger.warn(`${record.id} is left to the reconciler: ${String(error)}`);
      });
    }
    try {
      return await this.#view(await this.find(record.id));
    } catch {
      // It is accepted, whatever cannot be said of it at the moment.
      return deploymentView({ state: record.state, place: { position: 0 } });
    }
  }

  /** What this key has led to before; undefined where it is new. @throws DeployError `idempotency_key_reused` */
  async replayed(idempotency: Idempotency | undefined): Promise<DeploymentView | undefined> {
    const record = idempotency && (await this.store.known(idempotency));
    return record && this.#view(record);
  }

  async #begin({ id, spec, state: { identity } }: DeploymentRecord): Promise<void> {
    this.logbook.announce(id);
    if (spec.on_conflict === 'supersede') await this.supersede();
    await this.tracker.wake(await this.claims.startWaiting(identity));
  }

  /** Cancels every deployment that must make way for a newer one. */
  async supersede(): Promise<void> {
    for (const { id, superseded_by } of await this.claims.superseded()) {
      const actor = { kind: 'system', name: 'flukedeploy' } as const;
      const done = await this.#requestCancel(id, { actor, reason: `superseded by ${superseded_by}`, superseded_by });
      const at = new Date().toISOString();
      const action = 'deployment.cancel';
      await this.trail.audit({ at, actor, action, target: id, outcome: done ? 'succeeded' : 'deployment_ended' });
    }
  }

  /** @throws DeployError `deployment_not_found` */
  async find(id: string): Promise<DeploymentRecord> {
    const record = await this.store.find(id);
    if (record === undefined) throw new DeployError('deployment_not_found');
    return record;
  }

  /** The deployment as it is, or as soon as anything about it changes, or when the time is up. */
  async view(id: string, waitSeconds: number, signal: AbortSignal): Promise<DeploymentView> {
    const before = JSON.stringify((await this.find(id)).state);
    const over = AbortSignal.any([signal, this.hub.closing, AbortSignal.timeout(waitSeconds * 1000)]);
    for (;;) {
      // Listening begins before looking, so that no change falls in between.
      const changed = this.hub.changed(id, over);
      const record = await this.find(id);
      const done = isFinal(record.state.status) || JSON.stringify(record.state) !== before;
      if (done || waitSeconds === 0 || over.aborted) return this.#view(record);
      await changed;
    }
  }

  async list(
    filter: DeploymentFilter,
    page: { limit: number; offset: number },
  ): Promise<{ deployments: DeploymentView[]; total: number }> {
    const { deployments, total } = await this.store.list(filter, page);
    return { deployments: deployments.map(deploymentView), total };
  }

  appExists(name: string): Promise<boolean> {
    return this.store.appExists(name);
  }

  stats(apps: readonly string[] | undefined): Promise<DeploymentStats> {
    return this.store.stats(apps);
  }

  /** @throws DeployError `deployment_ended`, `deployment_not_found` */
  async cancel(id: string, principal: Principal, reason: string): Promise<DeploymentView> {
    const record = await this.find(id);
    const { app_name, environment } = record.state.identity;
    const plan = { plan_hash: id, summary: `cancel ${id}` };
    await this.policy.admitNow(principal, { kind: 'cancel', app_name, environment }, plan);
    if (isFinal(record.state.status))
      throw new DeployError('deployment_ended', `Deployment ${id} has ended: ${record.state.status}.`);
    const done = await this.#requestCancel(id, { actor: principal.actor, reason });
    if (!done) throw new DeployError('deployment_ended', `Deployment ${id} has just ended.`);
    return this.#view(await this.find(id));
  }

  /** False when the deployment has ended in between: then there is nothing to write. */
  async #requestCancel(id: string, cancel: { actor: Actor; reason: string; superseded_by?: string }): Promise<boolean> {
    const fact = { type: 'cancel_requested', at: new Date().toISOString(), ...cancel } as const;
    const appended = await this.logbook.append({ deployment_id: id, items: [{ fact }] });
    if (appended === undefined) return false;
    // The worker also learns it from its next heartbeat; the message only spares it the wait.
    await this.wakeups.publish('cancel', id).catch(() => undefined);
    const { state, rows } = appended;
    if (isFinal(state.status)) await this.tracker.wake(await this.claims.startWaiting(state.identity));
    return rows.length > 0 || !isFinal(state.status);
  }

  async #view(record: DeploymentRecord): Promise<DeploymentView> {
    const place = isFinal(record.state.status) ? { position: 0 } : await this.store.place(record);
    const strategy = record.config?.strategy;
    return deploymentView({ state: record.state, place, ...(strategy && { strategy }) });
  }
}
