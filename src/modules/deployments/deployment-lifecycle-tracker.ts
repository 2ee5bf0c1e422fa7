/** Leads deployments through their phases: claims, runs, commits, and says what comes next. */
import { Injectable, Logger } from '@nestjs/common';
import { decide, evolve, type PhaseOutputs } from '../../domain/deployment.js';
import { DeployError, toFailure } from '../../domain/errors.js';
import { isFinal, PHASE_RULES, type Phase } from '../../domain/phases.js';
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
import { envContext, gitContext } from './deploy-request.js';
import { DeploymentSession } from './deployment-session.js';
import { PhaseHandlers, type PhaseHandler } from './phase-handler.js';
import { SourceWorkspace } from './source-workspace.js';

/** How long a phase may take to stop after its signal; then its result is no longer waited for. */
const STOP_MS = 15_000;
const UNDO_MS = 60_000;

export class TrackerOptions {
  constructor(readonly lease_ms: number) {}
}

@Injectable()
export class DeploymentLifecycleTracker {
  readonly #sessions = new Map<string, DeploymentSession>();
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
    wakeups: Wakeups,
  ) {
    wakeups.subscribe('cancel', (deploymentId) => this.#sessions.get(deploymentId)?.stop(new DeployError('cancelled')));
  }

  /** Phases that this process works on at the moment. */
  get running(): number {
    return this.#sessions.size;
  }

  /** Runs the phase if it is due and nobody else holds it; otherwise does nothing. */
  async work(deploymentId: string, phase: Phase): Promise<void> {
    if (this.#closing || this.#sessions.has(deploymentId)) return;
    const claim = await this.claims.claim(deploymentId, phase);
    if (claim === undefined) return;
    this.logbook.announce(deploymentId);
    const session = this.#open(claim);
    const handler = this.handlers.of(phase);
    const end = this.#guard(session);
    try {
      const outputs = await this.#run(handler, session);
      await this.#goOn(session, await session.succeed(outputs));
    } catch (error) {
      await this.#stopped(handler, session, error);
    } finally {
      end();
      this.#sessions.delete(deploymentId);
    }
  }

  /** Stops claiming and gives every phase back, so that other workers go on at once. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const session of this.#sessions.values()) session.stop('shutdown');
    while (this.#sessions.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #run(handler: PhaseHandler, session: DeploymentSession): Promise<PhaseOutputs> {
    session.signal.throwIfAborted();
    const stopped = new Promise<never>((_, reject) => {
      session.signal.addEventListener('abort', () =>
        setTimeout(() => reject(session.signal.reason as Error), STOP_MS).unref(),
      );
    });
    return Promise.race([handler.run(session), stopped]);
  }

  /** The failure path: who stopped the phase decides what becomes of it. */
  async #stopped(handler: PhaseHandler, session: DeploymentSession, thrown: unknown): Promise<void> {
    if (session.interruption === 'lost') return;
    if (session.interruption === 'shutdown') {
      await session.release('this worker shuts down');
      return;
    }
    const error: unknown = session.signal.aborted ? session.signal.reason : thrown;
    if (isLastAttempt(session, error)) await this.#undo(handler, session);
    await this.#goOn(session, await session.fail(error));
  }

  /** The service first: its containers use the image, and where they stay, the image must stay. */
  async #undo(handler: PhaseHandler, session: DeploymentSession): Promise<void> {
    const timeout = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error('it took too long')), UNDO_MS).unref(),
    );
    const attempt = async <Result>(step: Promise<Result>): Promise<Result | undefined> =>
      Promise.race([step, timeout]).catch((error: unknown) => {
        session.log('warn', `Cleaning up failed: ${toFailure(error).message}`);
        return undefined;
      });
    const outcome = await attempt(handler.undo(session));
    await Promise.all([
      outcome === 'undone' && attempt(this.images.remove(session.tag)),
      attempt(this.workspace.dispose(session.record.id)),
    ]);
  }

  /** After the commit: the next phase, or the next deployment of the app. A crash before this is the reconciler's to mend. */
  async #goOn(session: DeploymentSession, appended: Appended | undefined): Promise<void> {
    if (appended === undefined) return;
    const { decision, state } = appended;
    if (decision.kind === 'run') await this.wake([{ deployment_id: session.record.id, ...decision, overdue_ms: 0 }]);
    if (isFinal(state.status)) await this.wake(await this.claims.startWaiting(state.identity));
  }

  /** Puts phases into the queue; where the queue is away the reconciler finds them. */
  async wake(due: readonly DuePhase[]): Promise<void> {
    for (const phase of due) {
      this.logbook.announce(phase.deployment_id);
      await this.queue.add(phase).catch((error: unknown) => this.#logger.warn(`The queue is away: ${String(error)}`));
    }
  }

  #open(claim: Claim): DeploymentSession {
    const { identity } = claim.record.state;
    const env = Object.fromEntries(
      Object.entries(claim.config.env).map(([name, sealed]) => [
        name,
        this.secrets.open(sealed, envContext(identity, name)),
      ]),
    );
    const { source } = claim.record.spec;
    const token = source.kind === 'git' && source.token ? [this.secrets.open(source.token, gitContext(identity))] : [];
    const session = new DeploymentSession(claim, env, token, this.logbook);
    this.#sessions.set(claim.record.id, session);
    return session;
  }

  /** Keeps the lease, and stops the session when time is up. Answers the function that ends the guard. */
  #guard(session: DeploymentSession): () => void {
    const { lease_ms } = this.options;
    let alive = performance.now();
    const beat = async (): Promise<void> => {
      const health = await this.claims.heartbeat(session.claim);
      alive = performance.now();
      if (health === 'cancelled') session.stop(new DeployError('cancelled'));
      if (health === 'lost') session.stop('lost');
    };
    const heart = setInterval(() => {
      // Without an answer somebody else may take over once the lease is over, so this worker must have stopped by then.
      if (performance.now() - alive > lease_ms) session.stop('lost');
      else beat().catch(() => undefined);
    }, lease_ms / 4);
    const phaseTimer = setTimeout(
      () => session.stop(new DeployError('phase_timeout')),
      PHASE_RULES[session.phase].timeout_ms,
    );
    const { deadline_at } = session.state;
    const left = deadline_at
      ? Math.max(0, Date.parse(deadline_at) - Date.now())
      : PHASE_RULES[session.phase].timeout_ms;
    const deadlineTimer = setTimeout(() => session.stop(new DeployError('deployment_timeout')), left);
    if (session.state.cancel) session.stop(new DeployError('cancelled'));
    return () => {
      clearInterval(heart);
      clearTimeout(phaseTimer);
      clearTimeout(deadlineTimer);
    };
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
