/** Puts what the Docker Engine, or the way to it, says into our error table. */
import { DeployError } from '../../domain/errors.js';

const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** These speak of files as well: only a failed connect means that the Engine cannot be reached. */
const NO_SOCKET = new Set(['ENOENT', 'EACCES']);
const LEADERLESS = /does not have a leader|has no leader|lost leader|rpc error: code = (DeadlineExceeded|Unavailable)/i;

/**
 * The error to throw after a call to Docker failed. Aborts and errors that are ours already come back untouched.
 * @param during what was being done, such as `pulling nginx:1`
 */
export function dockerFailure(error: unknown, during: string): Error {
  if (error instanceof DeployError || isAbort(error)) return error;
  const message = daemonMessage(error);
  if (isUnreachable(error)) {
    return new DeployError('docker_unavailable', `The Docker Engine does not answer (${during}): ${message}`, {
      cause: error,
    });
  }
  if (isLeaderless(error)) {
    return new DeployError('docker_unavailable', `The managers of the Swarm have no leader (${during}): ${message}`, {
      cause: error,
    });
  }
  if (/not a swarm manager|not part of a swarm/i.test(message)) {
    return new DeployError('swarm_inactive', undefined, { cause: error });
  }
  return new DeployError('internal', `Docker refused ${during}: ${message}`, { cause: error });
}

/** The HTTP status that the Engine answered with; `undefined` where it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return fields(error).statusCode;
}

/** Something of that name exists: somebody made it at the same moment. Swarm's store answers 500 for it, the Engine 409. */
export function isNameConflict(error: unknown): boolean {
  return statusOf(error) === 409 || daemonMessage(error).startsWith('name conflicts with an existing object');
}

/** The Engine's own words, without what dockerode and gRPC put in front of them. */
export function daemonMessage(error: unknown): string {
  return (fields(error).message ?? String(error))
    .replace(/^\(HTTP code \d+\) .*? - /s, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .trim();
}

/** Whether the managers are choosing a leader; a change that was asked for may have happened all the same. */
export function isLeaderless(error: unknown): boolean {
  return LEADERLESS.test(fields(error).message ?? '');
}

export function isAbort(error: unknown): error is Error {
  return fields(error).name === 'AbortError';
}

function isUnreachable(error: unknown): boolean {
  const { statusCode, code, syscall } = fields(error);
  if (statusCode !== undefined || code === undefined) return false;
  return NO_CONNECTION.has(code) || (NO_SOCKET.has(code) && syscall === 'connect');
}

interface ErrorFields {
  readonly name?: string;
  readonly message?: string;
  readonly statusCode?: number;
  readonly code?: string;
  readonly syscall?: string;
}

/** Errors of Node and of dockerode say what they are by fields, not by classes. */
function fields(error: unknown): ErrorFields {
  return typeof error === 'object' && error !== null ? error : {};
}
