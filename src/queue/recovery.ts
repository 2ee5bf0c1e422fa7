/**
 * The reconciler: looks at the truth again and again, and sets going whatever should be going. With Redis away it is the
 * only alarm clock, so that everything is slower and nothing stops.
 */
import {
  Injectable,
  Logger,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { isFinal } from '../domain/phases.js';
import { DeploymentStore, PhaseClaims, type DuePhase } from '../domain/ports.js';
import {
  DeploymentLifecycleTracker,
  DeploymentsService,
  ImageCleanup,
  JobCleanup,
  Retirement,
  SourceWorkspace,
  Uploads,
} from '../modules/deployments/index.js';
import { PhaseWorker } from './phase.worker.js';

const ROUND_MS = 500;
/** So long the queue has time to wake somebody by itself. */
const OVERDUE_MS = 1_000;
/** Then the queue has failed, and this process takes the phase directly. */
const DIRECT_MS = 3_000;
/** After its deadline a deployment without a living worker is ended by whoever notices. */
const EXPIRY_GRACE_MS = 30_000;
const RETIREMENT_ROUNDS = 2;
const SELDOM_ROUNDS = 120;

@Injectable()
export class Recovery implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger(Recovery.name);
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #rounds = 0;
  #trouble: string | undefined;
  #closed = false;

  constructor(
    private readonly store: DeploymentStore,
    private readonly claims: PhaseClaims,
    private readonly deployments: DeploymentsService,
    private readonly tracker: DeploymentLifecycleTracker,
    private readonly workspace: SourceWorkspace,
    private readonly uploads: Uploads,
    private readonly retirement: Retirement,
    private readonly images: ImageCleanup,
    private readonly jobs: JobCleanup,
    /** Absent in a process that is no worker. */
    @Optional() private readonly worker?: PhaseWorker,
  ) {}

  onApplicationBootstrap(): void {
    this.#schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(): void {
    // At random moments, so that many processes do not look all at once.
    this.#timer = setTimeout(
      () => {
        this.#round = this.#reconcile()
          .then(() => this.#recovered())
          .catch((error: unknown) => this.#report(error))
          .finally(() => {
            if (!this.#closed) this.#schedule();
          });
      },
      ROUND_MS * (0.5 + Math.random()),
    );
  }

  async #reconcile(): Promise<void> {
    await this.deployments.supersede();
    await this.tracker.wake(await this.claims.startWaiting());
    const overdue = (await this.claims.due(100)).filter(({ overdue_ms }) => overdue_ms >= OVERDUE_MS);
    this.#takeOver(overdue.filter(({ overdue_ms }) => overdue_ms >= DIRECT_MS));
    await this.tracker.wake(overdue);
    // What works on the cluster is a worker's to do.
    if (this.worker && this.#rounds % RETIREMENT_ROUNDS === 0) await this.retirement.round();
    if (this.#rounds++ % SELDOM_ROUNDS === 0) await this.#tidy();
  }

  #takeOver(overdue: readonly DuePhase[]): void {
    for (const { deployment_id, phase } of overdue.slice(0, this.worker ? this.tracker.free : 0)) {
      this.tracker.work(deployment_id, phase).catch((error: unknown) => this.#report(error));
    }
  }

  async #tidy(): Promise<void> {
    if (this.#rounds === 1) await this.uploads.sweep();
    await this.claims.expire(EXPIRY_GRACE_MS);
    await this.store.prune();
    if (this.worker) {
      await this.images.round();
      await this.jobs.round();
    }
    await this.workspace.sweep(async (id: string) => {
      const record = await this.store.find(id);
      return record !== undefined && !isFinal(record.state.status);
    });
  }

  /** An outage is told when it begins and when it ends, not each half second. */
  #report(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#trouble) this.#logger.warn(`Looking after deployments failed: ${text}`);
    this.#trouble = text;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#logger.log('Looking after deployments works again');
    this.#trouble = undefined;
  }
}
