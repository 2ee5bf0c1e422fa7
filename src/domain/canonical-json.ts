/** JSON in its one canonical form (RFC 8785): values that are equal have the same text, and so the same hash. */

/** @throws TypeError for what JSON cannot say: `undefined`, functions, NaN, infinities, lone surrogates */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && value.isWellFormed()) return JSON.stringify(value);
  // ECMAScript writes numbers just as the RFC wants them.
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    // Sorted by UTF-16 code units, which is what comparing strings means in ECMAScript.
    const names = Object.keys(value).sort();
    const members = value as Readonly<Record<string, unknown>>;
    return `{${names.map((name) => `${canonicalJson(name)}:${canonicalJson(members[name])}`).join(',')}}`;
  }
  throw new TypeError(`A ${typeof value} like this one has no form in JSON.`);
}
