/** Takes phase jobs from BullMQ and hands them to the tracker; the tracker's claim decides whether there is work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Worker } from 'bullmq';
import { DeploymentLifecycleTracker } from '../modules/deployments/index.js';
import { PHASE_QUEUE, PREFIX, QueueConnections, type PhaseJob } from './bull-phase-queue.js';

const CLOSE_MS = 3_000;

@Injectable()
export class PhaseWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger(PhaseWorker.name);
  #worker: Worker<PhaseJob> | undefined;

  constructor(
    private readonly connections: QueueConnections,
    private readonly tracker: DeploymentLifecycleTracker,
  ) {}

  onApplicationBootstrap(): void {
    this.#worker = new Worker<PhaseJob>(
      PHASE_QUEUE,
      async ({ data }) => this.tracker.work(data.deployment_id, data.phase),
      {
        connection: this.connections.worker,
        prefix: PREFIX,
        concurrency: this.tracker.concurrency,
        lockDuration: 10_000,
        stalledInterval: 3_000,
        // A job may stall as often as its worker dies: how often is too often is the deployment's to decide.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        drainDelay: 2,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
        skipVersionCheck: true,
      },
    );
    this.#worker.on('error', () => undefined);
    this.#worker.on('failed', (job, error) =>
      this.#logger.error(`${job?.id ?? 'a job'} failed: ${error.stack ?? error.message}`),
    );
  }

  /** First the phases are handed over, then the queue is left: other workers go on within a moment. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.tracker.close();
    // With Redis away it would wait for ever; the process ends anyway.
    await Promise.race([this.#worker?.close(), sleep(CLOSE_MS, undefined, { ref: false })]);
  }
}
