/** Secrets that everybody who has the image can read: in its environment, and in what its builder has written down. */
import { looksSecret, SECRET_PATTERNS } from '../../domain/secret-patterns.js';
import type { ImageDetails } from '../../domain/ports.js';
import type { PolicyFinding } from './finding-codes.js';

const HINT_FOR_ENV =
  'Take it out of the Dockerfile, and give it to the app as an environment variable or a secret file. Replace it: whoever has the image has read it.';
const HINT_FOR_HISTORY =
  'Build with RUN --mount=type=secret instead of ARG or ENV. Replace the secret: whoever has the image has read it.';

/** What stands for a value that comes later, or tells where it is. */
const NOT_LITERAL = /^["']?(?:\$|\/run\/secrets\/|["']?$)/;

/** Values are never repeated. */
export function secretFindings({ env, history }: Pick<ImageDetails, 'env' | 'history'>): PolicyFinding[] {
  const inEnvironment = Object.entries(env)
    .filter(([name, value]) => !NOT_LITERAL.test(value) && (looksSecret(name) || namesOf(value).length > 0))
    .map(([name]) => name);
  return [
    ...inEnvironment.map((name): PolicyFinding => ({
      severity: 'error',
      code: 'secret_in_env',
      message: `The image sets ${name}, and its value looks like a secret.`,
      place: `ENV ${name}`,
      hint: HINT_FOR_ENV,
    })),
    ...history.flatMap(({ created_by }, index) =>
      [...new Set(namesOf(created_by))]
        // ENV stands in the history as well: once is enough.
        .filter((name) => !inEnvironment.includes(name) || !isEnv(created_by))
        .map((name): PolicyFinding => ({
          severity: 'error',
          code: 'secret_in_history',
          message: `Step ${index + 1} of the image's history holds ${name ? `a value of ${name}` : 'what looks like a secret'}.`,
          place: `history:${index + 1}`,
          hint: HINT_FOR_HISTORY,
        })),
    ),
  ];
}

/** The name before each secret in the text; empty where there is none. */
function namesOf(text: string): string[] {
  return SECRET_PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)]
      .filter(([secret]) => !NOT_LITERAL.test(secret))
      .map(({ 0: secret, index }) => ({
        secret,
        name: nameBefore(text.slice(Math.max(0, index - LONGEST_LEAD), index)),
      }))
      // `TOKEN_TTL=60` holds the word and no secret; a key of a known form is one under any name.
      .filter(({ secret, name }) => name === '' || looksSecret(name) || hasKnownForm(secret))
      .map(({ name }) => name),
  );
}

const LONGEST_LEAD = 80;

function nameBefore(lead: string): string {
  return /([A-Za-z_][\w-]{0,63})(?:=["']?|"\s{0,4}:\s{0,4})$/.exec(lead)?.[1] ?? '';
}

function hasKnownForm(secret: string): boolean {
  return SECRET_PATTERNS.some((pattern) => secret.search(pattern) >= 0);
}

/** As the classic builder and BuildKit write it down. */
function isEnv(createdBy: string): boolean {
  return /^(?:\/bin\/sh -c #\(nop\)\s+)?ENV\s/.test(createdBy);
}
