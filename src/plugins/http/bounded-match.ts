/** Regular expressions that users write, on text that apps write. */
import { runInNewContext } from 'node:vm';

const MOST_CHARACTERS = 64 * 1024;
const MOST_MS = 100;

export function isPattern(source: string): boolean {
  try {
    return Boolean(new RegExp(source, 'u'));
  } catch {
    return false;
  }
}

/**
 * Whether the pattern is found in the first 64 kB of the text; `undefined` when that cannot be told in time. Some expressions, such
 * as `(a+)+$`, try for years on thirty characters, so a bound of the length alone does not help: V8 stops a script at a time limit,
 * even inside an expression, and nothing else does. Pattern and text are values of that script, never a part of it.
 */
export function matches(pattern: string, text: string): boolean | undefined {
  const values = { pattern, text: text.slice(0, MOST_CHARACTERS) };
  try {
    return runInNewContext('new RegExp(pattern, "u").test(text)', values, { timeout: MOST_MS }) as boolean;
  } catch {
    return undefined;
  }
}
