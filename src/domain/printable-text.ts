/** Text as people and PostgreSQL can take it: without colours, other control characters and lone surrogates. */

const UNPRINTABLE = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '').toWellFormed();
}

/** The same for every text inside the value, names included: plugins choose some of them. */
export function printableDeep<Value>(value: Value): Value {
  if (typeof value === 'string') return printable(value) as Value;
  if (Array.isArray(value)) return value.map(printableDeep) as Value;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [printable(name), printableDeep(inner as unknown)]),
    ) as Value;
  }
  return value;
}
