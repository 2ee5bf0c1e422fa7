/** One row of the tables of bad input: what is sent, and exactly how it must be refused. */
import type { ErrorCode } from '../../src/domain/errors.js';

/** Who asks: `restricted` may read and deploy apps of others only. */
export type Asker = 'admin' | 'reader' | 'deployer' | 'restricted' | 'expired' | 'revoked' | 'nobody';

export interface BadRequest {
  readonly name: string;
  /** GET, or POST where there is a body. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, anything else as it is. */
  readonly body?: object | string | Buffer;
  /** `admin` when left out. */
  readonly as?: Asker;
  readonly status: number;
  readonly code: ErrorCode;
  /** The path of every field that is to blame, in order; left out: no field is. */
  readonly at?: readonly string[];
}

export const DEPLOY = '/api/v1/deploy';

/** An app of nobody: no row may ever come so far that it is deployed. */
export const APP = 'fdbad-never';

/** The body with the value at the dotted path; `undefined` leaves the field out. */
export function withValue(body: object, path: string, value: unknown): object {
  const copy = structuredClone(body) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  const place = names.reduce((inside, name) => inside[name] as Record<string, unknown>, copy);
  // JSON has no undefined: such a field is not sent.
  place[last] = value;
  return copy;
}

/** A value in few words, for the name of a test. */
export function brief(value: unknown): string {
  const text = value === undefined ? 'left out' : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}… (${text.length})` : text;
}
