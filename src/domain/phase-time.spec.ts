/** A phase ends nobody who still has time of their own: neither a hook, nor the watch over a new version, nor a pause. */
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_HEALTH_CHECK } from './app-spec.js';
import { LIMITS } from './limits.js';
import { allowedMs } from './phase-time.js';
import { PHASE_RULES, PHASES } from './phases.js';
import { DEFAULT_STRATEGIES } from './strategy.js';

const strategy = DEFAULT_STRATEGIES.rolling;
const plain = { strategy };
const baking = { strategy, health_check: { ...DEFAULT_HEALTH_CHECK, bake_ms: 120_000 } };
const longest = { timeout_seconds: LIMITS.hook_seconds };

describe('the time of a phase', () => {
  it.each(PHASES)('%s: is its own where nobody was promised any', (phase) => {
    expect(allowedMs(phase, plain, [])).toBe(PHASE_RULES[phase].timeout_ms);
  });

  it.each(['pre_build', 'pre_deploy', 'post_deploy'] as const)('%s: covers all its hooks in full', (phase) => {
    const { timeout_ms } = PHASE_RULES[phase];
    expect(allowedMs(phase, plain, [longest])).toBe(timeout_ms + 3_600_000);
    expect(allowedMs(phase, plain, [longest, { timeout_seconds: 60 }])).toBe(timeout_ms + 3_660_000);
  });

  it('covers the watch over the new version, where it is watched', () => {
    expect(allowedMs('post_deploy', baking, [{ timeout_seconds: 600 }])).toBe(600_000 + 120_000 + 600_000);
    expect(allowedMs('deploy', baking, [])).toBe(PHASE_RULES.deploy.timeout_ms);
  });

  it('covers the pauses of a canary, but for those that wait for somebody', () => {
    const steps = [{ set_weight: 10 }, { pause: { duration_seconds: 90 } }, { pause: {} }];
    const canary = { strategy: { ...DEFAULT_STRATEGIES.canary, steps } };
    expect(allowedMs('deploy', canary, [])).toBe(PHASE_RULES.deploy.timeout_ms + 90_000);
  });
});
