/** Masks secrets in everything that is stored or shown: values that are known, shapes that are typical, keys that tell. */
import { LIMITS } from './limits.js';
import { printable } from './printable-text.js';
import { knownPatterns } from './secret-forms.js';
import { looksSecret, SECRET_PATTERNS } from './secret-patterns.js';

export { secretValues } from './secret-values.js';

/** Says nothing of what it hides, not even how long it was. */
const MASK = '***';

export interface Masker {
  /** The text without its secrets; of more than `limit` characters the rest is cut, and the text says so. */
  mask(text: string, limit?: number): string;
  /**
   * JSON-like data without its secrets; strings under a key that looks secret are masked whole. Keys and names by which
   * FlukeDeploy itself goes on stay as they are (not below `details` and what plugins find and leave, which is free text): an app whose password happens
   * to be `deploy` or `message` must not break its deployment.
   */
  maskDeep<Value>(value: Value): Value;
}

/** Masks what is typical for secrets, and these `known` values (6 characters or more) in every form they are written in. */
export function createMasker(known: Iterable<string>): Masker {
  const patterns = knownPatterns(known);

  const maskText = (text: string, limit = Infinity): string =>
    render(text, (seen) => [...knownSpans(seen, patterns), ...typicalSpans(seen)], limit);
  const maskIdentity = (text: string): string => render(text, typicalSpans, Infinity);

  const maskValue = (value: unknown, key: string, free: boolean): unknown => {
    if (typeof value === 'string') {
      if (looksSecret(key)) return value && MASK;
      return IDENTITY_KEYS.has(key) && !free ? maskIdentity(value) : maskText(value);
    }
    if (Array.isArray(value)) {
      // Lists of strings are mostly lines of output: a private key may begin in one and end in another.
      const maskLine = lineByLine((line) => maskValue(line, key, free) as string);
      return value.map((item: unknown) => (typeof item === 'string' ? maskLine(item) : maskValue(item, key, free)));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [
          free ? maskText(name) : name,
          !free && VERBATIM_KEYS.has(name)
            ? inner
            : maskValue(inner, looksSecret(key) ? key : name, free || isFree(name, key)),
        ]),
      );
    }
    return value;
  };

  return { mask: maskText, maskDeep: <Value>(value: Value) => maskValue(value, '', false) as Value };
}

/** Masks the lines of one stream in their order, and cuts those that are too long. */
export function createLineMasker(masker: Masker): (line: string) => string {
  return lineByLine((line) => masker.mask(line, LIMITS.log_line_length));
}

/** A text of somebody else; one that is too long is masked before it is cut, as half a secret is not known as one. */
export function boundedText(masker: Masker, text: string, length: number): string {
  return text.length <= length ? text : masker.mask(printable(text), length);
}

const KEY_BEGINS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/;
const KEY_ENDS = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/;

/** No private key has more lines; a log that only shows how a key begins must not stay dark for ever. */
const KEY_LINES = 400;

function lineByLine(mask: (line: string) => string): (line: string) => string {
  let hidden = 0;
  return (line) => {
    if (hidden > 0) {
      hidden = KEY_ENDS.test(line) ? 0 : hidden - 1;
      return MASK;
    }
    const begin = line.search(KEY_BEGINS);
    if (begin >= 0 && !KEY_ENDS.test(line.slice(begin))) hidden = KEY_LINES;
    return mask(line);
  };
}

/** What names a thing is shown everywhere anyway; only what is shaped like a secret is masked in it. */
const IDENTITY_KEYS: ReadonlySet<string> = new Set([
  ...['at', 'deadline_at', 'type', 'kind', 'phase', 'level', 'status', 'event_type', 'code', 'error_code', 'component'],
  ...['id', 'deployment_id', 'rollback_of', 'superseded_by', 'by', 'app_name', 'environment', 'project', 'service'],
  ...['plugin', 'hook', 'outcome'],
  ...['image', 'image_digest', 'commit', 'version'],
]);

/** Where plugins choose the names and the codes; a phase has `outputs` as well, of FlukeDeploy's own. */
function isFree(name: string, parent: string): boolean {
  return name === 'details' || name === 'findings' || (parent === 'result' && (name === 'outputs' || name === 'code'));
}

/** What the edge is made of: no entry shows it, and one changed letter would send the requests elsewhere, or break every app's edge. */
const VERBATIM_KEYS: ReadonlySet<string> = new Set(['traffic', 'retiring']);

/** From where to where (exclusive) something is secret. */
type Span = readonly [start: number, end: number];

function knownSpans(text: string, patterns: readonly RegExp[]): Span[] {
  const spans: Span[] = [];
  for (const pattern of patterns) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      spans.push([match.index, pattern.lastIndex]);
      // Another secret may begin inside this one.
      pattern.lastIndex = match.index + 1;
    }
  }
  return spans;
}

function typicalSpans(text: string): Span[] {
  return SECRET_PATTERNS.flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match): Span => [match.index, match.index + match[0].length]),
  );
}

/** How far beyond the cut a secret is looked for that begins before it. */
const REACH = 4096;
const CUT_MARK_LENGTH = 40;

function render(text: string, find: (seen: string) => Span[], limit: number): string {
  const end = text.length > limit ? limit - CUT_MARK_LENGTH : text.length;
  const spans = find(text.slice(0, end + REACH)).sort(([a], [b]) => a - b);
  let masked = '';
  let at = 0;
  for (const [start, stop] of spans) {
    if (start >= end) break;
    if (start > at || at === 0) masked += text.slice(at, start) + MASK;
    at = Math.max(at, stop);
  }
  masked += text.slice(at, Math.max(at, end));
  return end < text.length ? `${masked.toWellFormed()} …[cut ${text.length - end} characters]` : masked;
}
