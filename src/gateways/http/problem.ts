/** Errors as RFC 9457 problem documents. */
import {
  DeployError,
  type ErrorCode,
  errorRow,
  type FieldError,
  httpStatus,
  type PolicyRefusal,
} from '../../domain/errors.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** What the table says of a code, the same for every occurrence. */
export interface ProblemType {
  /** Address of its description, relative to the server. */
  readonly type: string;
  readonly code: ErrorCode;
  readonly title: string;
  /** HTTP status. */
  readonly status: number;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly hint?: string;
}

export interface Problem extends ProblemType, PolicyRefusal {
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Path of the request. */
  readonly instance: string;
}

export function problemType(code: ErrorCode): ProblemType {
  const { retryable, title, hint } = errorRow(code);
  return {
    type: `/problems/${code}`,
    code,
    title,
    status: httpStatus(code),
    retryable,
    ...(hint && { hint }),
  };
}

export function problemOf({ code, message, fields, policy }: DeployError, instance: string): Problem {
  const type = problemType(code);
  return {
    ...type,
    // What went wrong inside is for the log only.
    detail: code === 'internal' ? type.title : message,
    ...(fields && { errors: fields }),
    ...policy,
    instance,
  };
}
