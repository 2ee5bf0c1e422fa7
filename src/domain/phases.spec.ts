/** The waiting times between attempts: bounded, growing, different for each deployment and the same for each fold. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffBefore, DEPLOYMENT_STATUSES, FINAL_STATUSES, isFinal, PHASE_RULES, PHASES } from './phases.js';

const phases = fc.constantFrom(...PHASES);
const attempts = fc.integer({ min: 2, max: 12 });

describe('the waiting time before an attempt', () => {
  it('lies between half and the whole of a step that doubles, up to half a minute', () => {
    fc.assert(
      fc.property(phases, attempts, fc.string(), (phase, attempt, seed) => {
        const step = Math.min(PHASE_RULES[phase].backoff_ms * 2 ** (attempt - 2), 30_000);
        const delay = backoffBefore(phase, attempt, seed);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.round(step / 2));
        expect(delay).toBeLessThanOrEqual(step);
      }),
    );
  });

  it('is the same whenever the same deployment is folded', () => {
    fc.assert(
      fc.property(phases, attempts, fc.string(), (phase, attempt, seed) => {
        expect(backoffBefore(phase, attempt, seed)).toBe(backoffBefore(phase, attempt, seed));
      }),
    );
  });

  it('differs between deployments, so that those which failed together do not come back together', () => {
    const delays = Array.from({ length: 100 }, (_, index) => backoffBefore('deploy', 2, `dep-${index}`));
    expect(new Set(delays).size).toBeGreaterThan(80);
    const { backoff_ms } = PHASE_RULES.deploy;
    expect(Math.min(...delays)).toBeLessThan(0.6 * backoff_ms);
    expect(Math.max(...delays)).toBeGreaterThan(0.9 * backoff_ms);
  });
});

describe('the rules', () => {
  it.each(PHASES)('%s is bounded in time and attempts, and has the status the contract gives it', (phase) => {
    const { timeout_ms, max_attempts, status } = PHASE_RULES[phase];
    expect(timeout_ms).toBeGreaterThan(0);
    expect(max_attempts).toBeGreaterThanOrEqual(1);
    expect(status).toBe(phase === 'pre_build' || phase === 'build' ? 'building' : 'deploying');
  });

  it('name the final statuses and no others', () => {
    expect(DEPLOYMENT_STATUSES.filter(isFinal)).toEqual(FINAL_STATUSES);
    expect(DEPLOYMENT_STATUSES.filter((status) => !isFinal(status))).toEqual(['pending', 'building', 'deploying']);
  });
});
