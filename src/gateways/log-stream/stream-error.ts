/** The errors of the log stream: each answers one message and never closes the connection. */
import { DeployError, type ErrorCode } from '../../domain/errors.js';

export const STREAM_ERRORS = {
  invalid_json: 'The message is not valid JSON.',
  invalid_message: 'The message is not an object with an action.',
  unknown_action: 'The action is not known here.',
  bad_filter: 'The filter is not valid.',
  unauthenticated: 'No valid token was sent.',
  rate_limited: 'Too many messages; at most 20 a second are answered.',
  unavailable: 'The log cannot be read at the moment.',
} as const;
export type StreamErrorCode = keyof typeof STREAM_ERRORS;

export class StreamError extends Error {
  override readonly name = 'StreamError';

  constructor(
    readonly code: StreamErrorCode,
    message: string = STREAM_ERRORS[code],
    readonly field?: string,
  ) {
    super(message);
  }
}

export interface ErrorMessage {
  readonly type: 'error';
  readonly code: StreamErrorCode | ErrorCode;
  readonly message: string;
  /** The field that is wrong. */
  readonly field?: string;
}

/** What the client is told; of an error that nobody foresaw it learns nothing but that. */
export function errorMessage(error: unknown): ErrorMessage {
  if (error instanceof StreamError) {
    const { code, message, field } = error;
    return { type: 'error', code, message, ...(field !== undefined && { field }) };
  }
  const known = error instanceof DeployError ? error : new DeployError('internal');
  return { type: 'error', code: known.code, message: known.message };
}
