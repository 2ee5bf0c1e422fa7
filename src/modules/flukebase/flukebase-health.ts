/** Whether FlukeBase takes what it is told, for the health checks and for who asks: nothing depends on it. */
import type { FlukeBaseFinding, FlukeBaseStore } from '../../domain/ports.js';

/** @throws Error that says why it does not */
export async function requireUpstream(store: FlukeBaseStore): Promise<void> {
  const obstacle = await obstacleOf(store);
  if (obstacle !== undefined) throw new Error(obstacle);
}

/** What a question that changes nothing does not find out: whether what is sent in earnest is taken. */
export async function deliveryFindings(store: FlukeBaseStore): Promise<FlukeBaseFinding[]> {
  const obstacle = await obstacleOf(store);
  return obstacle === undefined
    ? []
    : [{ about: 'delivery', ok: false, message: `Nothing is told for now: ${obstacle}` }];
}

/** As the process that sent last has learnt. */
async function obstacleOf(store: FlukeBaseStore): Promise<string | undefined> {
  const report = await store.upstream();
  if (report?.paused !== undefined) return report.paused;
  return report?.breaker === 'open' ? 'FlukeBase fails; what it is not told is kept and sent later.' : undefined;
}
