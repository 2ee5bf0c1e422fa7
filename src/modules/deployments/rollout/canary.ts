/** The canary: a growing share of the requests, judged by what the edge sees of both versions. */
import type { CanaryStrategy } from '../../../domain/strategy.js';
import type { Rollout } from './rollout.js';

export async function canary(rollout: Rollout, strategy: CanaryStrategy): Promise<void> {
  await rollout.step(0, `Canary ${strategy.type}`);
  await rollout.switchOver();
}
