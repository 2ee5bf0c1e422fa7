/** Whether FlukeBase takes what it is told, for the health checks: nothing depends on it. */
import type { FlukeBaseStore } from '../../domain/ports.js';

/** @throws Error that says why it does not */
export async function requireUpstream(store: FlukeBaseStore): Promise<void> {
  const report = await store.upstream();
  if (report?.paused !== undefined) throw new Error(report.paused);
  if (report?.breaker === 'open') throw new Error('FlukeBase fails; what it is not told is kept and sent later.');
}
