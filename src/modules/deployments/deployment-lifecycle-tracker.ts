/** Leads deployments through their phases: claims, runs, commits, and says what comes next. */
import { Injectable, Logger } from '@nestjs/common';
import { decide, evolve, type PhaseOutputs } from '../../domain/deployment.js';
import { DeployError, toFailure } from '../../domain/errors.js';
import { isFinal, type Phase } from '../../domain/phases.js';
import {
  Images,
  PhaseClaims,
  PhaseQueue,
  Secrets,
  Wakeups,
  type Appended,
  type Claim,
  type DuePhase,
} from '../../domain/ports.js';
import { Logbook } from '../logs/index.js';
import { Plugins } from '../plugins/index.js';
import { gitContext, opened } from './sealing.js';
import { DeploymentSession } from './deployment-session.js';
import { PhaseHandlers, type PhaseHandler } from './phase-handler.js';
import { guardSession } from './session-guard.js';
import { SourceWorkspace } from './source-workspace.js';

/** How long a phase may take to stop after its signal; longer than any one call to Docker, which may still take effect. */
const STOP_MS = 35_000;
const UNDO_MS = 60_000;

export class TrackerOptions {
  constructor(
    readonly lease_ms: number,
    /** Phases that this process works on at the same time. */
    readonly concurrency: number,
  ) {}
}

@Injectable()
export class DeploymentLifecycleTracker {
  /** What this process works on; without a session while the claim is under way. */
  readonly #working = new Map<string, DeploymentSession | undefined>();
  readonly #logger = new Logger(DeploymentLifecycleTracker.name);
  #closing = false;

  constructor(
    private readonly options: TrackerOptions,
    private readonly handlers: PhaseHandlers,
    private readonly claims: PhaseClaims,
    private readonly queue: PhaseQueue,
    private readonly logbook: Logbook,
    private readonly secrets: Secrets,
    private readonly images: Images,
    private readonly workspace: SourceWorkspace,
    private readonly plugins: Plugins,
    wakeups: Wakeups,
  ) {
    wakeups.subscribe('cancel', (deploymentId) => this.#working.get(deploymentId)?.stop(new DeployError('cancelled')));
  }

  /** Phases that this process works on at the same time. */
  get concurrency(): number {
    return this.options.concurrency;
  }

  /** How many phases more this process may work on. */
  get free(): number {
    return Math.max(0, this.concurrency - this.#working.size);
  }

  /** Runs the phase if it is due and nobody else holds it; otherwise does nothing. */
  async work(deploymentId: string, phase: Phase): Promise<void> {
    if (this.#closing || this.#working.has(deploymentId) || this.free === 0) return;
    this.#working.set(deploymentId, undefined);
    const appended = await this.#attempt(deploymentId, phase).finally(() => this.#working.delete(deploymentId));
    if (appended) await this.#goOn(deploymentId, appended);
  }

  /** Stops claiming and gives every phase back, so that other workers go on at once. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const session of this.#working.values()) session?.stop('shutdown');
    while (this.#working.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Claim, work, commit. The commit is outside the failure path: one of unknown outcome must never be undone. */
  async #attempt(deploymentId: string, phase: Phase): Promise<Appended | undefined> {
    const askedAt = performance.now();
    const claim = await this.claims.claim(deploymentId, phase);
    if (claim === undefined) return undefined;
    this.logbook.announce(deploymentId);
    const session = this.#open(claim);
    if (!(session instanceof DeploymentSession)) return session.failed;
    this.#working.set(deploymentId, session);
    const end = guardSession(session, this.claims, this.plugins.all, this.options.lease_ms, askedAt);
    if (this.#closing) session.stop('shutdown');
    try {
      const handler = this.handlers.of(phase);
      const result = await this.#run(handler, session).catch((error: unknown) => ({ error }));
      return 'error' in result
        ? await this.#stopped(handler, session, result.error)
        : await session.succeed(result.outputs);
    } finally {
      end();
    }
  }

  async #run(handler: PhaseHandler, session: DeploymentSession): Promise<{ outputs: PhaseOutputs }> {
    session.signal.throwIfAborted();
    const stopped = new Promise<never>((_, reject) => {
      session.signal.addEventListener('abort', () =>
        setTimeout(() => reject(session.signal.reason as Error), STOP_MS).unref(),
      );
    });
    return { outputs: await Promise.race([handler.run(session), stopped]) };
  }

  /** The failure path: who stopped the phase decides what becomes of it. */
  async #stopped(handler: PhaseHandler, session: DeploymentSession, thrown: unknown): Promise<Appended | undefined> {
    if (session.interruption === 'lost') return undefined;
    if (session.interruption === 'shutdown') return session.release('this worker shuts down');
    const error: unknown = session.signal.aborted ? session.signal.reason : thrown;
    if (isLastAttempt(session, error)) await this.#undo(handler, session, error);
    return session.fail(error);
  }

  /** The service first: its containers use the image, and where they stay, the image must stay. */
  async #undo(handler: PhaseHandler, session: DeploymentSession, error: unknown): Promise<void> {
    const timeout = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error('it took too long')), UNDO_MS).unref(),
    );
    const attempt = async <Result>(step: Promise<Result>): Promise<Result | undefined> =>
      Promise.race([step, timeout]).catch((error: unknown) => {
        session.log('warn', `Cleaning up failed: ${toFailure(error).message}`);
        return undefined;
      });
    const outcome = await attempt(handler.undo(session, error));
    await Promise.all([
      outcome === 'undone' && attempt(this.images.remove(session.tag)),
      attempt(this.workspace.dispose(session.record.id)),
    ]);
  }

  /** After the commit: the next phase, or the next deployment of the app. What fails here is the reconciler's to mend. */
  async #goOn(deployment_id: string, { decision, state }: Appended): Promise<void> {
    try {
      if (decision.kind === 'run') await this.wake([{ deployment_id, ...decision, overdue_ms: 0 }]);
      if (isFinal(state.status)) await this.wake(await this.claims.startWaiting(state.identity));
    } catch (error) {
      this.#logger.warn(`What comes after ${deployment_id} is left to the reconciler: ${String(error)}`);
    }
  }

  /** Puts phases into the queue; where the queue is away the reconciler finds them. */
  async wake(due: readonly DuePhase[]): Promise<void> {
    await Promise.all(
      due.map(async (phase) => {
        this.logbook.announce(phase.deployment_id);
        await this.queue.add(phase).catch((error: unknown) => this.#logger.warn(`The queue is away: ${String(error)}`));
      }),
    );
  }

  /** The session, or the failure when the deployment's secrets cannot be opened. */
  #open(claim: Claim): DeploymentSession | { readonly failed: Promise<Appended | undefined> } {
    const { identity } = claim.record.state;
    const { source } = claim.record.spec;
    try {
      const { env, secrets } = opened(this.secrets, identity, claim.config);
      const token =
        source.kind === 'git' && source.token ? [this.secrets.open(source.token, gitContext(identity))] : [];
      const others = [...token, ...Object.values(this.plugins.server.secrets)];
      return new DeploymentSession(claim, env, secrets, others, this.logbook);
    } catch (error) {
      const cause = new DeployError(
        'internal',
        'The secrets of the app cannot be opened with the key of this server.',
        { cause: error },
      );
      return { failed: new DeploymentSession(claim, {}, {}, [], this.logbook).fail(cause) };
    }
  }
}

function isLastAttempt({ state, phase, attempt }: DeploymentSession, thrown: unknown): boolean {
  const fact = {
    type: 'phase_failed',
    phase,
    attempt,
    error: toFailure(thrown),
    at: new Date().toISOString(),
  } as const;
  return decide(evolve(state, fact)).kind !== 'run';
}
