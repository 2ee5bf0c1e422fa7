/** Sends entries, in batches where FlukeBase takes them, and finds the ones that it will not take. */
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DeadEntry } from '../../domain/dead-ranges.js';
import { asksToWait, verdictOnEntry } from '../../domain/flukebase-verdict.js';
import type { UnifiedLogEntry } from '../../domain/log-entry.js';
import { FlukeBase, type RefusedEntry } from '../../domain/ports.js';
import { FlukeBaseUpstream, type Told, type Verdict } from './flukebase-upstream.js';

/** Why the rest was not sent. */
export type SendingFailure = Extract<Verdict, { kind: 'again' | 'paused' | 'later' }>;

export interface SentEntries {
  /** Sequences of those that must be sent again, in order. */
  readonly missing: readonly number[];
  /** Those that will never be taken, in order. */
  readonly dead: readonly DeadEntry[];
  readonly failure?: SendingFailure;
}

@Injectable()
export class LogSender {
  constructor(
    private readonly flukebase: FlukeBase,
    private readonly upstream: FlukeBaseUpstream,
  ) {}

  /** @param alive called before each request; false: the lane was taken over */
  async send(
    entries: readonly UnifiedLogEntry[],
    signal: AbortSignal,
    alive: () => Promise<boolean>,
  ): Promise<SentEntries> {
    const sending = new Sending(this.flukebase, this.upstream, signal, alive);
    await sending.part(entries);
    const { missing, dead, failure } = sending;
    const sequences = entries.map(({ id, flukedeploy_metadata: { sequence } }) => ({ id, sequence }));
    return {
      missing: sequences.filter(({ id }) => missing.has(id)).map(({ sequence }) => sequence),
      dead: sequences.flatMap(({ id, sequence }) => {
        const error = dead.get(id);
        return error === undefined ? [] : [{ sequence, error }];
      }),
      ...(failure && { failure }),
    };
  }
}

/** One batch on its way, in ever smaller parts. */
class Sending {
  readonly missing = new Set<string>();
  readonly dead = new Map<string, string>();
  failure?: SendingFailure;

  constructor(
    private readonly flukebase: FlukeBase,
    private readonly upstream: FlukeBaseUpstream,
    private readonly signal: AbortSignal,
    private readonly alive: () => Promise<boolean>,
  ) {}

  async part(entries: readonly UnifiedLogEntry[]): Promise<void> {
    if (entries.length > 1 && !this.upstream.takesBatches) {
      for (const entry of entries) await this.part([entry]);
      return;
    }
    if (this.failure === undefined && !(await this.alive())) this.failure = { kind: 'later' };
    if (this.failure !== undefined) {
      this.#keep(entries);
      return;
    }
    const { verdict, refused } = await this.#ask(entries);
    switch (verdict.kind) {
      case 'done':
        for (const one of refused) if (entries.some(({ id }) => id === one.id)) this.#refused(one);
        return;
      case 'again':
      case 'paused':
      case 'later':
        this.failure = verdict;
        this.#keep(entries);
        return;
      case 'split': {
        const middle = Math.ceil(entries.length / 2);
        await this.part(entries.slice(0, middle));
        await this.part(entries.slice(middle));
        return;
      }
      case 'singles':
        await this.part(entries);
        return;
      case 'dead':
        for (const { id } of entries) this.dead.set(id, verdict.error);
    }
  }

  #ask(entries: readonly UnifiedLogEntry[]): Promise<Told> {
    const { flukebase, signal } = this;
    const [first] = entries;
    if (first !== undefined && entries.length === 1) {
      const call = { idempotency_key: first.id, signal };
      return this.upstream.ask('log', 1, () => flukebase.syncDeploymentLog(first, call));
    }
    const ids = entries.map(({ id }) => id).join('\n');
    const call = { idempotency_key: `batch-${createHash('sha256').update(ids).digest('hex')}`, signal };
    return this.upstream.ask('batch', entries.length, () => flukebase.syncDeploymentLogsBatch(entries, call));
  }

  #refused({ id, status, reason = `HTTP ${status}` }: RefusedEntry): void {
    const error = `FlukeBase did not take it: ${reason}.`;
    switch (verdictOnEntry(status)) {
      case 'done':
        return;
      case 'again':
        this.missing.add(id);
        // One that fails is not excused by others that only wait.
        if (this.failure?.kind !== 'again' || this.failure.is_asked)
          this.failure = { kind: 'again', error, ...(asksToWait(status) && { is_asked: true }) };
        return;
      case 'dead':
        this.dead.set(id, error);
    }
  }

  #keep(entries: readonly UnifiedLogEntry[]): void {
    for (const { id } of entries) this.missing.add(id);
  }
}
