/** The hash of exactly what is asked for: keyed, as it covers secrets, and the same whatever the order of the fields. */
import type { Secrets } from '../../domain/ports.js';

export function planHash(secrets: Secrets, plan: unknown): string {
  return secrets.fingerprint(JSON.stringify(plan, sorted));
}

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
