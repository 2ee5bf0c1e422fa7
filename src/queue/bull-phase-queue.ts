/** The phase queue in BullMQ: one job per phase attempt, whose id says which, so that adding it twice adds it once. */
import { Injectable } from '@nestjs/common';
import { Queue, type ConnectionOptions } from 'bullmq';
import { PhaseQueue, type DuePhase } from '../domain/ports.js';
import type { Phase } from '../domain/phases.js';

export const PHASE_QUEUE = 'phases';
/** A hash tag: the whole queue lies in one slot of a Redis Cluster. */
export const PREFIX = '{flukedeploy}';
const ADD_TIMEOUT_MS = 1_000;

export interface PhaseJob {
  readonly deployment_id: string;
  readonly phase: Phase;
}

/** Connections, made by the composition root: the queue's fails fast, the worker's waits. */
export class QueueConnections {
  constructor(
    readonly queue: ConnectionOptions,
    readonly worker: ConnectionOptions,
  ) {}
}

@Injectable()
export class BullPhaseQueue extends PhaseQueue {
  readonly #queue: Queue<PhaseJob>;

  constructor(connections: QueueConnections) {
    super();
    this.#queue = new Queue(PHASE_QUEUE, { connection: connections.queue, prefix: PREFIX, skipVersionCheck: true });
    // Outages are told by the connection itself; BullMQ repeats them here.
    this.#queue.on('error', () => undefined);
  }

  /** Ended jobs leave no trace in Redis: their history is the log, and their id is free when it is needed again. */
  async add({ deployment_id, phase, attempt, delay_ms }: Omit<DuePhase, 'overdue_ms'>): Promise<void> {
    const jobId = `${deployment_id}_${phase}_${attempt}`;
    const options = { jobId, delay: delay_ms, removeOnComplete: true, removeOnFail: true };
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('Redis did not answer in time')), ADD_TIMEOUT_MS).unref();
    });
    await Promise.race([this.#queue.add(phase, { deployment_id, phase }, options), timeout]);
  }
}
