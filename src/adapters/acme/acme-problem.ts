/** What an ACME authority answers when it refuses (RFC 8555 §6.7), as errors in its own words. */
import { OrderRefused, type HostRefusal } from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';

const PREFIX = 'urn:ietf:params:acme:error:';
const LONGEST_WORDS = 1_000;
/** Whoever asks for more is not believed. */
const LONGEST_WAIT_SECONDS = 7 * 86_400;

/** RFC 9457, with the fields of RFC 8555. */
export interface AcmeProblem {
  /** Such as `rateLimited`, without the prefix of ACME. */
  readonly type: string;
  readonly detail: string;
  readonly host?: string;
  readonly subproblems: readonly AcmeProblem[];
}

export interface Refusal {
  readonly status: number;
  readonly problem: AcmeProblem;
  readonly retryAfterSeconds: number | undefined;
  /** Which address answered. */
  readonly where: string;
}

/** A problem document as it came, whatever it really is; `undefined` when it is none. */
export function readProblem(body: unknown): AcmeProblem | undefined {
  if (!isRecord(body) || (typeof body['type'] !== 'string' && typeof body['detail'] !== 'string')) return undefined;
  const { type, detail, identifier, subproblems } = body;
  const host = isRecord(identifier) && typeof identifier['value'] === 'string' ? identifier['value'] : undefined;
  return {
    type: words(typeof type === 'string' ? type.replace(PREFIX, '') : 'about:blank'),
    detail: words(typeof detail === 'string' ? detail : 'no reason was given'),
    ...(host !== undefined && { host: words(host) }),
    subproblems: (Array.isArray(subproblems) ? subproblems : []).map(readProblem).filter((each) => each !== undefined),
  };
}

export function sayProblem({ detail, type }: AcmeProblem): string {
  return `${detail} (${type})`;
}

/** @param now milliseconds since the epoch, for a date in Retry-After */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), LONGEST_WAIT_SECONDS);
}

/** Its cause is the problem, for who must know the type. */
export function refusalError({ status, problem, retryAfterSeconds, where }: Refusal): DeployError {
  const rateLimited = status === 429 || problem.type === 'rateLimited';
  const details = {
    evidence: [`${where} answered ${status}`],
    cause: problem,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
  if (!rateLimited && status >= 500) {
    const message = `The certificate authority answers ${status}: ${sayProblem(problem)}`;
    return new DeployError('acme_unreachable', message, details);
  }
  const code = rateLimited ? 'acme_rate_limited' : 'acme_failed';
  const refusals = hostRefusals(problem);
  if (refusals.length > 0) return new OrderRefused(code, refusals, retryAfterSeconds);
  return new DeployError(code, sayProblem(problem), details);
}

/** Where one name of many is to blame, Let's Encrypt has no sub-problems: it only quotes the name. */
export function blamingHosts(error: unknown, hosts: readonly string[]): unknown {
  if (!(error instanceof DeployError) || error instanceof OrderRefused) return error;
  const { code, message, retryAfterSeconds } = error;
  const named = hosts.filter((host) => message.includes(`"${host}"`));
  if (named.length === 0 || (code !== 'acme_failed' && code !== 'acme_rate_limited')) return error;
  return new OrderRefused(
    code,
    named.map((host) => ({ host, message })),
    retryAfterSeconds,
  );
}

function hostRefusals({ subproblems }: AcmeProblem): HostRefusal[] {
  return subproblems.flatMap((problem) =>
    problem.host === undefined ? [] : [{ host: problem.host, message: sayProblem(problem) }],
  );
}

/** On one line: it goes into logs. */
function words(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_WORDS);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
