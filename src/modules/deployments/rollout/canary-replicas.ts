/** The replicas that get a canary's share of the requests: Swarm may run them elsewhere while a step waits, for days if need be. */
import type { TaskView } from '../../../domain/ports.js';
import { isSame, replenished } from '../../../domain/rollout-plan.js';
import type { Traffic } from '../../../domain/traffic.js';

/** A replica that answers by turns does not make the edge read its configuration more often than this. */
const CHANGE_MS = 5_000;

export class CanaryReplicas {
  #changedAt = -Infinity;

  /** @param wanted replicas of the new version in the end */
  constructor(private readonly wanted: number) {}

  /**
   * Where the requests go from now on, and that in words; `undefined` where nothing is to change.
   * @param now milliseconds of a clock that never stands still
   */
  follow(
    traffic: Traffic | undefined,
    { running, ready }: { readonly running: readonly TaskView[]; readonly ready: readonly TaskView[] },
    now: number,
  ): { readonly traffic: Traffic; readonly summary: string } | undefined {
    if (traffic?.canary === undefined || now - this.#changedAt < CHANGE_MS) return undefined;
    const moved = replenished(traffic, this.wanted, addressesOf(running), addressesOf(ready));
    if (isSame(traffic, moved)) return undefined;
    this.#changedAt = now;
    const { service } = traffic.canary.backend;
    const count = moved.canary?.backend.addresses?.length ?? 0;
    const summary =
      count > 0
        ? `A replica of ${service} was lost or is back: ${count} take its requests`
        : `No replica of ${service} is left: its requests go to the version before`;
    return { traffic: moved, summary };
  }
}

/** Of those that are on a network of ours. */
export function addressesOf(tasks: readonly TaskView[]): string[] {
  return tasks.map(({ address }) => address).filter((address) => address !== undefined);
}
