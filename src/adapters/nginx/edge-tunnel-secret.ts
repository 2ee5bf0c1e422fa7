/** The secret by which the edge knows FlukeDeploy: the source address that a PROXY header claims, which nobody can guess. */
import { createHash } from 'node:crypto';

/**
 * An IPv6 address out of `fd00::/8`, which no real client of the edge has, with 120 bits from the secret. nginx compares it by its
 * access rules, so that the apps beside the edge cannot use the tunnel.
 */
export function secretAddress(secret: string): string {
  const digest = createHash('sha256').update('flukedeploy edge tunnel\0').update(secret).digest();
  const groups = [digest.subarray(0, 15).toString('hex')].join('');
  return `fd${groups}`.replace(/(....)(?=.)/g, '$1:');
}
