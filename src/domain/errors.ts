/** Errors that are ours to tell, and failures as they are recorded; what each code means is in the table. */
import { errorRow, type ErrorCode } from './error-table.js';

export * from './error-table.js';

/** What a failed phase or deployment says of itself. `evidence` holds the last output, the failing probe or the task's error. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly evidence?: readonly string[];
  readonly hint?: string;
  /** Where a plugin failed: its name, and the code that it gave itself. */
  readonly plugin?: string;
  readonly plugin_code?: string;
}

export interface FieldError {
  /** Dotted path of the field, such as `ports.0.host_port`. */
  readonly path: string;
  readonly message: string;
}

/** Which rule refused, and what a person could do about it. */
export interface PolicyRefusal {
  readonly rule?: string;
  readonly approval_id?: string;
  readonly expires_at?: string;
}

/** Every error that is ours to tell; the code decides everything else about it. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly evidence: readonly string[] | undefined;
  readonly fields: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly plugin: { readonly name: string; readonly code?: string } | undefined;
  readonly policy: PolicyRefusal | undefined;

  constructor(
    readonly code: ErrorCode,
    message?: string,
    details: {
      evidence?: readonly string[] | undefined;
      fields?: readonly FieldError[];
      retryAfterSeconds?: number;
      plugin?: { readonly name: string; readonly code?: string } | undefined;
      policy?: PolicyRefusal;
      cause?: unknown;
    } = {},
  ) {
    super(message ?? errorRow(code).title, { cause: details.cause });
    this.evidence = details.evidence;
    this.fields = details.fields;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.plugin = details.plugin;
    this.policy = details.policy;
  }

  /** What was recorded, as an error again. */
  static of({ code, message, evidence, plugin, plugin_code }: Failure): DeployError {
    const by =
      plugin === undefined ? undefined : { name: plugin, ...(plugin_code !== undefined && { code: plugin_code }) };
    return new DeployError(code, message, { evidence, plugin: by });
  }

  toFailure(): Failure {
    const row = errorRow(this.code);
    return {
      code: this.code,
      message: this.message,
      retryable: row.retryable,
      ...(this.evidence?.length && { evidence: this.evidence }),
      ...(row.hint && { hint: row.hint }),
      ...(this.plugin && { plugin: this.plugin.name }),
      ...(this.plugin?.code && { plugin_code: this.plugin.code }),
    };
  }
}

/** Any thrown value as a Failure; what we did not foresee is `internal` and tells no stack. */
export function toFailure(error: unknown): Failure {
  if (error instanceof DeployError) return error.toFailure();
  return new DeployError(
    'internal',
    `Unexpected: ${error instanceof Error ? error.message : String(error)}`,
  ).toFailure();
}
