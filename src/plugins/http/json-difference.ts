/** Partial comparison of JSON: what was expected must be there, and more may be. Pure. */
import type { Json, JsonObject } from '../../plugin/index.js';

/** The first place where `actual` lacks what `expected` says, as a sentence. Objects may have more members, arrays no more elements. */
export function difference(expected: Json, actual: unknown, place = 'json'): string | undefined {
  if (isArray(expected)) {
    if (!isArray(actual)) return told(place, expected, actual);
    if (actual.length !== expected.length) {
      return `${place} has ${actual.length} elements, expected ${expected.length}`;
    }
    return first(expected.map((element, index) => () => difference(element, actual[index], `${place}[${index}]`)));
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return told(place, expected, actual);
    return first(
      Object.entries(expected).map(([name, member]) => () => {
        const own = Object.hasOwn(actual, name) ? actual[name] : undefined;
        return difference(member, own, `${place}.${name}`);
      }),
    );
  }
  return expected === actual ? undefined : told(place, expected, actual);
}

function told(place: string, expected: Json, actual: unknown): string {
  const text = (value: unknown) => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200));
  return `${place} is ${text(actual)}, expected ${text(expected)}`;
}

function first(differences: readonly (() => string | undefined)[]): string | undefined {
  for (const find of differences) {
    const found = find();
    if (found !== undefined) return found;
  }
  return undefined;
}

const isArray = (value: unknown): value is readonly Json[] => Array.isArray(value);
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !isArray(value);
