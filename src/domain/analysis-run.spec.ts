import { describe, expect, it } from '@jest/globals';
import { check, conclude, NO_CHECKS, type CheckResult } from './analysis-run.js';
import type { Judgement } from './canary-analysis.js';
import { DEFAULT_ANALYSIS, INCONCLUSIVE_CHOICES } from './strategy.js';

const judged = (kind: Judgement['kind']): Judgement => ({ kind, reason: 'The numbers.', evidence: [] });
const [pass, fail, unsure] = [judged('pass'), judged('fail'), judged('inconclusive')];

function after(judgements: readonly Judgement[], failure_limit: number): CheckResult[] {
  let run = NO_CHECKS;
  return judgements.map((judgement) => {
    const result = check(run, { ...DEFAULT_ANALYSIS, failure_limit }, judgement);
    run = result.run;
    return result;
  });
}

describe('the checks of a step', () => {
  it.each<[string, readonly Judgement[], number, string]>([
    ['go on while the canary passes', [pass, pass, pass], 1, 'continue,continue,continue'],
    ['go on without requests', [unsure, unsure], 1, 'continue,continue'],
    ['abort at once where one failure is the limit', [pass, fail], 1, 'continue,abort'],
    ['abort at the limit', [fail, fail, fail], 3, 'continue,continue,abort'],
    ['forget failures when the canary passes again', [fail, pass, fail, fail], 2, 'continue,continue,continue,abort'],
    ['keep failures over a check without verdict', [fail, unsure, fail], 2, 'continue,continue,abort'],
  ])('%s', (_, judgements, limit, decisions) => {
    expect(after(judgements, limit).map(({ decision }) => decision)).toEqual(decisions.split(','));
  });

  it('counts checks, and says which failure of how many it is', () => {
    const results = after([pass, fail, fail], 2);
    expect(results.map(({ run }) => run)).toEqual([
      { checks: 1, failures: 0 },
      { checks: 2, failures: 1 },
      { checks: 3, failures: 2 },
    ]);
    expect(results.map(({ reason }) => reason)).toEqual([
      'The numbers.',
      'Failed check 1 of 2: The numbers.',
      'Failed check 2 of 2: The numbers.',
    ]);
  });
});

describe('the end of a step', () => {
  it('promotes a canary that passes', () => {
    expect(conclude(DEFAULT_ANALYSIS, pass)).toEqual({ decision: 'promote', reason: 'The numbers.' });
  });

  it('takes back one that fails, even at its first check', () => {
    expect(conclude({ ...DEFAULT_ANALYSIS, failure_limit: 100 }, fail).decision).toBe('abort');
  });

  it.each(INCONCLUSIVE_CHOICES)('does what was asked for without a verdict: %s', (on_inconclusive) => {
    expect(conclude({ ...DEFAULT_ANALYSIS, on_inconclusive }, unsure).decision).toBe(on_inconclusive);
  });
});
