/** One step of a canary under analysis: a check each interval, and a conclusion when the step's pause is over. Pure. */
import type { Judgement } from './canary-analysis.js';
import type { AnalysisRules } from './strategy.js';

export interface AnalysisRun {
  readonly checks: number;
  /** Checks that failed, one after another, up to now. */
  readonly failures: number;
}

/** Every step begins so: its measurements are new as well. */
export const NO_CHECKS: AnalysisRun = { checks: 0, failures: 0 };

export interface CheckResult {
  readonly run: AnalysisRun;
  readonly decision: 'continue' | 'abort';
  readonly reason: string;
}

export interface Conclusion {
  readonly decision: 'promote' | 'pause' | 'abort';
  readonly reason: string;
}

/** Every `interval_seconds`. An inconclusive check neither counts nor forgives. */
export function check(run: AnalysisRun, rules: AnalysisRules, judgement: Judgement): CheckResult {
  const { kind, reason } = judgement;
  const failures = kind === 'fail' ? run.failures + 1 : kind === 'pass' ? 0 : run.failures;
  const next = { checks: run.checks + 1, failures };
  if (kind !== 'fail') return { run: next, decision: 'continue', reason };
  const { failure_limit } = rules;
  return {
    run: next,
    decision: failures >= failure_limit ? 'abort' : 'continue',
    reason: `Failed check ${failures} of ${failure_limit}: ${reason}`,
  };
}

/** When the pause of the step is over. A canary that fails now gets no larger share, however few checks there were. */
export function conclude(rules: AnalysisRules, { kind, reason }: Judgement): Conclusion {
  switch (kind) {
    case 'pass':
      return { decision: 'promote', reason };
    case 'fail':
      return { decision: 'abort', reason };
    case 'inconclusive':
      return { decision: rules.on_inconclusive, reason };
  }
}
