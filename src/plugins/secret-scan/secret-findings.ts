/** How a secret is told without being told: its kind, its place, its first characters and a fingerprint. */
import { createHash } from 'node:crypto';
import type { Finding } from '../../plugin/index.js';
import { credentialFile } from './credential-files.js';
import { ENV_RULE } from './own-rules.js';
import type { Secret } from './secret-rules.js';

const PREVIEW_LENGTH = 4;
/** Of a shorter secret, even its first characters are too much to show. */
const SHORTEST_PREVIEWED = 16;
const FINGERPRINT_LENGTH = 12;

/** Names a secret in the options without holding it. */
export const fingerprint = (value: string): string =>
  createHash('sha256').update(value).digest('hex').slice(0, FINGERPRINT_LENGTH);

/** Of one file. A value that has a recognised form is not told a second time for its name, nor a file for its own. */
export function secretFindings(path: string, secrets: readonly Secret[]): Finding[] {
  const recognised = new Set(secrets.filter(({ rule }) => rule !== ENV_RULE).map(({ line }) => line));
  const told = secrets.filter(({ rule, line }) => rule !== ENV_RULE || !recognised.has(line));
  return told.length > 0 ? told.map((secret) => secretFinding(path, secret)) : fileFinding(path);
}

function secretFinding(path: string, { rule, kind, line, value }: Secret): Finding {
  const print = fingerprint(value);
  return {
    severity: rule === ENV_RULE ? 'warning' : 'error',
    code: `secret_${rule.replaceAll('-', '_')}`,
    message: `A secret is committed: ${kind} ${preview(value)} (fingerprint ${print}).`,
    place: `${path}:${line}`,
    hint: `Revoke it, and set it as an environment variable or secret of the app. If it is none, add ${print} to \`allow\`.`,
  };
}

function fileFinding(path: string): Finding[] {
  const what = credentialFile(path);
  if (what === undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'secret_file',
      message: `A file is committed that by its name holds ${what}.`,
      place: path,
      hint: 'Take it out of the source, and set it as a secret of the app. If it holds none, add its path to `allow`.',
    },
  ];
}

const preview = (value: string) => (value.length < SHORTEST_PREVIEWED ? '***' : `${value.slice(0, PREVIEW_LENGTH)}***`);
