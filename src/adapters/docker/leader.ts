/** Patience with a Swarm whose managers are choosing a leader: for some seconds nothing can be asked or changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLeaderless } from './docker-failure.js';

/** An election takes 10 s to 20 s after the leader was lost. */
const ELECTION_MS = 30_000;
const LOOK_EVERY_MS = 500;
/** @param work may be done twice */
export async function throughElections<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + ELECTION_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLeaderless(error) || performance.now() > until) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
