/** What a server needs for an edge of its own beside those of others. */
import { freePort } from '../../test/support/test-registry.ts';

export async function edgeEnvironment(name: string): Promise<Record<'HTTP_PORT' | 'HTTPS_PORT' | 'EDGE_NAME', string>> {
  return { HTTP_PORT: String(await freePort()), HTTPS_PORT: String(await freePort()), EDGE_NAME: name };
}
