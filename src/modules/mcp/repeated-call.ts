/** The call that comes next, out of the one before: small arguments are repeated, all others are named. */
import type { Content, NextCall } from './answer.js';
import { jsonBytes, plain } from './untrusted-text.js';

/** They are secret, or hold what is. */
const NEVER = ['env', 'secrets', 'source'];
/** Room for the longest idempotency_key, with each of its characters escaped. */
const LARGEST_BYTES = 600;
const ALL_BYTES = 4_000;
const MOST_NAMED = 20;

interface Ways {
  readonly why: string;
  /** Arguments that do not belong to it. */
  readonly without?: readonly string[];
  readonly added?: Content;
}

export function repeatedCall(tool: string, given: Content, { why, without = [], added = {} }: Ways): NextCall {
  // Without these two it is another call, so they come before what may take up the room.
  const { app_name, idempotency_key, ...others } = given;
  const arguments_: [string, unknown][] = [];
  const named: string[] = [];
  let left = ALL_BYTES;
  for (const [name, value] of Object.entries({ app_name, idempotency_key, ...others })) {
    if (value === undefined || without.includes(name) || Object.hasOwn(added, name)) continue;
    const bytes = jsonBytes({ [name]: value });
    if (!NEVER.includes(name) && bytes <= Math.min(left, LARGEST_BYTES) && isPlain({ [name]: value })) {
      arguments_.push([name, value]);
      left -= bytes;
    } else named.push(plain(name, 30));
  }
  const missing = `${named.slice(0, MOST_NAMED).join(', ')}${named.length > MOST_NAMED ? ' and others' : ''}`;
  return {
    tool,
    arguments: { ...Object.fromEntries(arguments_), ...added },
    why: missing === '' ? why : `${why} Add what is not repeated here: ${missing}.`,
  };
}

/** Cleaned it would be another value, and the call another one. */
function isPlain(value: Content): boolean {
  const text = JSON.stringify(value);
  return plain(text, text.length) === text;
}
