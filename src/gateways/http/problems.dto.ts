/** The published table of error codes. */
import type { ErrorCode } from '../../domain/errors.js';
import type { ProblemType } from './problem.js';

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
