/** Everything that can end a command, and the exit code that tells it to scripts. */
import type { DeploymentStatus } from '../domain/phases.js';
import type { Problem } from './answers.js';

export const EXIT = {
  success: 0,
  /** The deployment failed or was rolled back. */
  failed: 1,
  /** Wrong usage, or the server refused the request. */
  refused: 2,
  cancelled: 3,
  unreachable: 4,
  interrupted: 130,
} as const;

/** The command cannot be carried out as it was given. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The server answered, and the answer is no. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly problem: Problem,
    readonly retryAfterSeconds?: number,
  ) {
    super(problem.detail ?? problem.title);
  }
}

/** No answer came. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Ctrl-C; `advice` says how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly advice: readonly string[] = []) {
    super('Interrupted.');
  }
}

/** Whether the same request may be answered a moment later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Refused) return error.problem.status >= 500 || error.problem.status === 429;
  return error instanceof Unreachable;
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof Unreachable) return EXIT.unreachable;
  if (error instanceof Refused && error.problem.status >= 500) return EXIT.unreachable;
  return EXIT.refused;
}

/** The verdict of a deployment that was watched to its end. */
export function verdictOf(status: DeploymentStatus): number {
  switch (status) {
    case 'success':
      return EXIT.success;
    case 'cancelled':
      return EXIT.cancelled;
    case 'failed':
    case 'rolled_back':
      return EXIT.failed;
    case 'pending':
    case 'building':
    case 'deploying':
      throw new Error(`a deployment that is ${status} has no verdict yet`);
  }
}
