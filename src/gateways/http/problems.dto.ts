/** The published table of error codes. */
import type { ErrorCode, FieldError } from '../../domain/errors.js';
import type { Problem, ProblemType } from './problem.js';

export class ProblemTypeDto implements ProblemType {
  /** The `type` of its problem documents. */
  readonly type: string;
  /** Stable name; programs should decide by it. */
  readonly code: ErrorCode;
  readonly title: string;
  /** HTTP status, where a request is answered with it. */
  readonly status: number;
  /** Whether the same request or phase may succeed later. */
  readonly retryable: boolean;
  /** The next thing to try. */
  readonly hint?: string;
}

export class ProblemListDto {
  readonly problems: ProblemTypeDto[];
}

export class FieldErrorDto implements FieldError {
  /** Dotted path of the field, such as `ports.0.host_port`. */
  readonly path: string;
  readonly message: string;
}

/** What every refused request is answered with (RFC 9457). */
export class ProblemDto extends ProblemTypeDto implements Problem {
  /** What is wrong with this request. */
  readonly detail: string;
  /** Each bad field. */
  readonly errors?: FieldErrorDto[];
  /** The rule of the token's policy that refused. */
  readonly rule?: string;
  /** What a person may approve. */
  readonly approval_id?: string;
  /** Until when the approval counts. */
  readonly expires_at?: string;
  /** Path of the request. */
  readonly instance: string;
}
