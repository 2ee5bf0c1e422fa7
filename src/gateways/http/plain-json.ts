/** Finds in a request what no field may hold, whatever its DTO says: a DTO looks at its own fields, the database at none. */
import { DeployError, type FieldError } from '../../domain/errors.js';

/** Deeper and larger than any honest body; the code that reads one calls itself for each level. */
const DEEPEST = 32;
const MOST_VALUES = 10_000;
const LONGEST_PATH = 200;

interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

/**
 * Looks through parsed JSON, or the strings of a query; `root` is the path of the value itself.
 * @throws DeployError `invalid_field`; `unknown_field` for names that every object has, which class-transformer would drop in silence
 */
export function requirePlainJson(value: unknown, root = ''): void {
  const waiting: Place[] = [{ value, path: root, depth: 0 }];
  let count = 0;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    requirePlainText(place.value, place.path);
    if (typeof place.value !== 'object' || place.value === null) continue;
    const entries = Object.entries(place.value);
    count += entries.length;
    if (count > MOST_VALUES) throw refusal('', `must not hold more than ${MOST_VALUES} values`);
    if (entries.length > 0 && place.depth === DEEPEST)
      throw refusal(place.path, `must not be nested deeper than ${DEEPEST} levels`);
    for (const [name, inner] of entries) {
      const path = place.path === '' ? name : `${place.path}.${name}`;
      requirePlainText(name, path);
      if (name in Object.prototype) throw refusal(path, 'is not known here', 'unknown_field');
      waiting.push({ value: inner, path, depth: place.depth + 1 });
    }
  }
}

/** PostgreSQL keeps no text with a NUL or half a surrogate pair. */
function requirePlainText(value: unknown, path: string): void {
  if (typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0'))) return;
  throw refusal(path, 'must not hold NUL or half a surrogate pair');
}

function refusal(
  path: string,
  message: string,
  code: 'invalid_field' | 'unknown_field' = 'invalid_field',
): DeployError {
  const field: FieldError = { path: path.slice(0, LONGEST_PATH), message };
  return new DeployError(code, `${field.path || 'The body'} ${message}.`, { fields: [field] });
}
