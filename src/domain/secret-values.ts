/** Which values of an app's environment are secrets: all that would tell something, none that is an ordinary word. */
import { SHORTEST_SECRET } from './secret-forms.js';
import { looksSecret } from './secret-patterns.js';

/** Under a key that does not look secret, shorter values are taken for names, numbers and switches. */
const SHORTEST_UNNAMED_SECRET = 8;

/** Words, numbers and short marks, as in production, api-server, 10.0.0.1:5432, http://api:3000/v1, Europe/Berlin. */
const ORDINARY_TOKEN = /^(?:\w{1,7}|\d+|[A-Z]{1,24}|[a-z]{0,24}(?:[A-Z][a-z]{2,})*)$/;
const BETWEEN_TOKENS = /[\s.,:/@_-]+/;

const URL_PASSWORD = /:\/\/[^\s/:@]{0,128}:([^\s/]+)@/;

/**
 * Values to give to `createMasker`. A value counts as a secret
 * - of 6 characters or more, when its key looks secret (DB_PASSWORD, apiKey, …); shorter ones are masked only where they
 *   stand beside such a key, since `root` or `test` are words that a log needs;
 * - of 8 or more under any other key, unless it consists of ordinary words and numbers, which would turn lines about
 *   `production` or `api-server` into stars while telling nobody a secret;
 * - as the password inside a URL, whose rest is needed to understand the log.
 */
export function secretValues(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([key, value]) => {
    const passwords = urlPasswords(value).filter((password) => password.length >= SHORTEST_SECRET);
    return isSecret(key, value.trim()) ? [value, ...passwords] : passwords;
  });
}

function isSecret(key: string, value: string): boolean {
  if (looksSecret(key)) return value.length >= SHORTEST_SECRET;
  const tokens = value.replace(URL_PASSWORD, '://').split(BETWEEN_TOKENS);
  return value.length >= SHORTEST_UNNAMED_SECRET && !tokens.every((token) => ORDINARY_TOKEN.test(token));
}

/** As it stands in the URL, and as the program that connects will print it. */
function urlPasswords(value: string): string[] {
  const password = URL_PASSWORD.exec(value)?.[1];
  if (password === undefined) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    // A stray `%`: then nobody can decode it, and the raw form is all there is.
    return [password];
  }
}
