/**
 * Tells others how deployments ended. It begins when the end is committed, so that nothing is told that did not happen, and
 * nothing of a deployment ever waits for it.
 */
import { Injectable, Logger } from '@nestjs/common';
import { ulid } from 'ulid';
import { again, verdictOn, type Verdict } from '../../domain/notification-retries.js';
import {
  DeploymentStore,
  NotificationStore,
  WebhookSender,
  type NotificationClaim,
  type NotificationRecord,
} from '../../domain/ports.js';
import { deploymentEvent } from '../../plugins/notify/deployment-event.js';
import { readNotifyOptions } from '../../plugins/notify/notify-options.js';
import { plannedNotifications } from './notification-plan.js';
import { NotifyUses } from './notify-uses.js';
import { Undeliverable, webhookRequest } from './webhook-request.js';

const ENDINGS_A_ROUND = 50;
/** Much longer than planning or an attempt can take: then another process takes over. */
const LEASE_MS = 60_000;
/** Attempts that this process makes at the same time. */
const MOST_ATTEMPTS = 32;
/** Of them to targets of one name: those that hang leave room for all others. */
const MOST_PER_TARGET = 4;

@Injectable()
export class Notifier {
  readonly #logger = new Logger('Notifications');
  /** Attempts under way, with the name of their target. */
  readonly #attempts = new Map<Promise<void>, string>();

  constructor(
    private readonly store: NotificationStore,
    private readonly deployments: DeploymentStore,
    private readonly uses: NotifyUses,
    private readonly sender: WebhookSender,
  ) {}

  /**
   * Plans for what has ended and begins the attempts that are due; none of them is waited for.
   * @param freed called at the end of each: the next may have its turn
   */
  async round(signal: AbortSignal, freed: () => void): Promise<void> {
    for (const id of await this.store.claimEndings(ENDINGS_A_ROUND, LEASE_MS)) {
      if (signal.aborted) return;
      await this.#plan(id).catch((error: unknown) =>
        this.#logger.warn(`Whom to tell of the end of ${id} is looked at again later: ${String(error)}`),
      );
    }
    while (!signal.aborted && this.#attempts.size < MOST_ATTEMPTS) {
      const claim = await this.store.claim(LEASE_MS, this.#busyTargets());
      if (claim === undefined) return;
      this.#begin(claim, signal, freed);
    }
  }

  /** Resolves when no attempt is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#attempts.keys());
  }

  async #plan(id: string): Promise<void> {
    const record = await this.deployments.find(id);
    const event = record && deploymentEvent(record.state);
    const use = record && (await this.uses.of(record));
    const newId = (): string => `ntf-${ulid().toLowerCase()}`;
    await this.store.plan(id, event && use ? plannedNotifications(use.options, event, newId) : []);
  }

  #busyTargets(): string[] {
    const names = [...this.#attempts.values()];
    return [...new Set(names)].filter((name) => names.filter((other) => other === name).length >= MOST_PER_TARGET);
  }

  #begin(claim: NotificationClaim, signal: AbortSignal, freed: () => void): void {
    const attempt = this.#attempt(claim, signal)
      .catch((error: unknown) =>
        // What it came to is not kept: when the lease has run out, it is tried again under the same id.
        this.#logger.warn(`What came of notification ${claim.record.id} could not be kept: ${String(error)}`),
      )
      .finally(() => {
        this.#attempts.delete(attempt);
        freed();
      });
    this.#attempts.set(attempt, claim.record.target);
  }

  async #attempt(claim: NotificationClaim, signal: AbortSignal): Promise<void> {
    const verdict = await this.#send(claim.record, signal).catch((error: unknown): Verdict | undefined => {
      if (signal.aborted) return undefined;
      if (error instanceof Undeliverable) return { kind: 'dead', error: error.message };
      this.#logger.warn(`Notification ${claim.record.id} could not be made: ${String(error)}`);
      return again('Its configuration could not be read.', claim.record.attempts + 1, Math.random());
    });
    await this.#keep(claim, verdict);
  }

  /** @throws Undeliverable, or the signal's reason */
  async #send(
    { id, deployment_id, target: name, attempts }: NotificationRecord,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const record = await this.deployments.find(deployment_id);
    const event = record && deploymentEvent(record.state);
    const use = record && (await this.uses.of(record));
    if (event === undefined || use === undefined) throw new Undeliverable('notify is not switched on any more.');
    const options = readNotifyOptions(use.options);
    if ('problem' in options) throw new Undeliverable(options.problem);
    const target = options.targets.find((one) => one.name === name);
    if (target === undefined) throw new Undeliverable('The target is not configured any more.');
    const request = webhookRequest(target, { id, at: new Date(), event }, (secret) => use.secret(secret));
    return verdictOn(await this.sender.send(request, signal), target.type, attempts + 1, Math.random());
  }

  async #keep(claim: NotificationClaim, verdict: Verdict | undefined): Promise<void> {
    const { id, deployment_id, target } = claim.record;
    switch (verdict?.kind) {
      case undefined:
        await this.store.release(claim);
        return;
      case 'delivered':
        await this.store.delivered(claim);
        return;
      case 'again':
        await this.store.failed(claim, verdict.error, verdict.wait_ms);
        return;
      case 'dead':
        await this.store.dead(claim, verdict.error);
        this.#logger.warn(`${target} is not told of the end of ${deployment_id} (${id}): ${verdict.error}`);
    }
  }
}
