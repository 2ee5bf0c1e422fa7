/** The clock of the notifications: looks soon after a deployment has ended, and every few seconds for what is tried again. */
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { isFinal } from '../../domain/phases.js';
import { NotificationStore } from '../../domain/ports.js';
import { LogHub } from '../logs/index.js';
import { Rounds } from '../rounds/index.js';
import { Notifier } from './notifier.js';

const ROUND_MS = 2_000;
const SELDOM_MS = 3_600_000;

@Injectable()
export class NotificationRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #rounds = new Rounds({ name: 'Notifications', every_ms: ROUND_MS }, (signal) => this.#round(signal));
  #unsubscribe: () => void = () => undefined;
  #prunedAt = -Infinity;

  constructor(
    private readonly notifier: Notifier,
    private readonly store: NotificationStore,
    private readonly hub: LogHub,
  ) {}

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.hub.subscribe((batch) => {
      if (batch.some(({ row }) => isFinal(row.status))) this.#rounds.wake();
    });
    this.#rounds.start();
  }

  /** Attempts under way are broken off and given back, for the next process to make. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    await this.#rounds.stop();
    await this.notifier.settled();
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.notifier.round(signal, () => this.#rounds.wake());
    if (performance.now() - this.#prunedAt < SELDOM_MS) return;
    await this.store.prune();
    this.#prunedAt = performance.now();
  }
}
