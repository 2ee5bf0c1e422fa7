/** Reads out of git's own words why a remote could not be used, without ever showing a secret. */
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { HostUnusable } from '../network/public-address.js';
import type { GitAccess } from './git-access.js';
import type { GitOutcome } from './git-process.js';

const LONGEST_LINE = 500;

export const REDIRECTED = /The requested URL returned error: 30\d/;
/** The server gives out branches and tags only, or cannot leave the history out. */
export const COMMIT_NOT_SERVED = /unadvertised object|not our ref|does not support shallow/;

export function gitFailure(outcome: GitOutcome, access: GitAccess): DeployError {
  const evidence = lastLines(outcome.stderr, access.secrets);
  return new DeployError('git_unreachable', explanation(outcome.stderr, access, evidence), { evidence });
}

/** What is said of a host that may not be asked, or is not known; anything else stays as it is. */
export function hostFailure(error: unknown): unknown {
  if (!(error instanceof HostUnusable)) return error;
  const code = error.reason === 'not_public' ? 'git_host_refused' : 'git_unreachable';
  return new DeployError(code, `The git host ${error.message}.`, { cause: error.cause });
}

function explanation(stderr: string, { url, secrets }: GitAccess, evidence: readonly string[]): string {
  if (/could not read (Username|Password)|Authentication failed|returned error: 40[13]/.test(stderr)) {
    return secrets.length > 0
      ? `The git host refused the token for ${url}.`
      : `${url} does not exist, or asks for a login: send a token.`;
  }
  if (/ not found|returned error: 404/.test(stderr)) {
    return `There is no git repository at ${url}, or the token may not see it.`;
  }
  if (REDIRECTED.test(stderr)) return `${url} redirects elsewhere, which is not followed. Give the URL it leads to.`;
  const fatal = evidence.findLast((line) => line.startsWith('fatal:')) ?? 'git said nothing';
  return `The git repository ${url} cannot be reached (${fatal.replace(/^fatal: /, '')}).`;
}

/** The last lines of the text, one line each, readable and without the secrets. */
export function lastLines(text: string, secrets: readonly string[]): string[] {
  const masked = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return masked
    .split(/[\r\n]+/)
    .map((line) =>
      line
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, LONGEST_LINE),
    )
    .filter((line) => line !== '')
    .slice(-LIMITS.evidence_lines);
}
