/** What a phase is to the tracker: work that leaves outputs behind, and a way to take its effects back. */
import type { PhaseOutputs } from '../../domain/deployment.js';
import type { Phase } from '../../domain/phases.js';
import type { DeploymentSession } from './deployment-session.js';

export abstract class PhaseHandler {
  abstract readonly phase: Phase;

  /**
   * Does the work; running it again after a crash half-way must lead to the same end. Stops soon after
   * `session.signal` aborts. Throws a DeployError for every failure it foresees.
   */
  abstract run(session: DeploymentSession): Promise<PhaseOutputs>;

  /** Takes the effects back once the deployment is lost for good; `kept` where its service shall run on. */
  undo(_session: DeploymentSession, _error: unknown): Promise<'undone' | 'kept'> {
    return Promise.resolve('undone');
  }
}

/** The five handlers by their phase. */
export class PhaseHandlers {
  constructor(private readonly handlers: readonly PhaseHandler[]) {}

  of(phase: Phase): PhaseHandler {
    const handler = this.handlers.find((candidate) => candidate.phase === phase);
    if (handler === undefined) throw new Error(`no handler for ${phase}`);
    return handler;
  }
}
