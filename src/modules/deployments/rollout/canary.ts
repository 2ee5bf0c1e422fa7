/** The canary: a growing share of the requests, judged by what the edge sees of both versions. */
import { check, conclude, NO_CHECKS, type Conclusion } from '../../../domain/analysis-run.js';
import { CanaryMeasurements, judgeCanary } from '../../../domain/canary-analysis.js';
import { DeployError } from '../../../domain/errors.js';
import type { RequestSample } from '../../../domain/ports.js';
import { canaryReplicas, weighted } from '../../../domain/rollout-plan.js';
import type { AnalysisRules, CanaryStep, CanaryStrategy } from '../../../domain/strategy.js';
import type { Rollout } from './rollout.js';

export async function canary(rollout: Rollout, strategy: CanaryStrategy): Promise<void> {
  for (const [index, step] of strategy.steps.entries()) {
    const { step: reached = 0, promoted_fully } = rollout.session.state.rollout ?? {};
    if (promoted_fully) break;
    // A worker before this one has come further.
    if (index < reached) continue;
    await rollout.step(index, describe(index, step, strategy));
    if ('set_weight' in step) await setWeight(rollout, strategy, step.set_weight);
    else await pause(rollout, strategy, index, step.pause.duration_seconds);
  }
  await rollout.takeOver();
}

function describe(index: number, step: CanaryStep, { steps }: CanaryStrategy): string {
  const place = `Step ${index + 1} of ${steps.length}`;
  if ('set_weight' in step) return `${place}: ${step.set_weight} % of the requests for the canary`;
  const { duration_seconds } = step.pause;
  return `${place}: ${duration_seconds === undefined ? 'until it is promoted' : `${duration_seconds} s`}`;
}

async function setWeight(rollout: Rollout, strategy: CanaryStrategy, weight: number): Promise<void> {
  const replicas = canaryReplicas(rollout.wanted, weight);
  await rollout.scaleFresh(replicas);
  const ready = await rollout.gated(replicas);
  const traffic = weighted(rollout.traffic, strategy, rollout.backend(ready), weight);
  await rollout.shift(traffic, `${weight} % of the requests go to ${rollout.desired.name}`);
}

/** Until the time is over or somebody promotes; a canary that does worse is taken back at once. */
async function pause(
  rollout: Rollout,
  strategy: CanaryStrategy,
  index: number,
  seconds: number | undefined,
): Promise<void> {
  const isPromoted = (): boolean => {
    const { promoted_step = -1, promoted_fully } = rollout.session.state.rollout ?? {};
    return promoted_step >= index || promoted_fully === true;
  };
  const over =
    Date.parse(rollout.session.state.rollout?.step_started_at ?? '') +
    (seconds === undefined ? Infinity : seconds * 1000);
  const analysis = strategy.analysis ? new Analysis(rollout, strategy.analysis) : undefined;
  // A worker that comes when the time is over has not read yet what the one before knew.
  const until = strategy.analysis ? Math.max(over, Date.now() + strategy.analysis.interval_seconds * 1000) : over;
  try {
    await rollout.watch(
      async () => {
        analysis?.check();
        if (isPromoted()) return true;
        if (seconds === undefined && !rollout.session.isPaused) await rollout.pause('the step waits for promote');
        return !rollout.session.isPaused && Date.now() >= until;
      },
      { whilePaused: true },
    );
    if (isPromoted()) return;
    const { decision, reason } = analysis?.conclude() ?? { decision: 'promote', reason: '' };
    if (decision === 'abort') throw new DeployError('analysis_failed', reason, { evidence: analysis?.evidence });
    if (decision === 'pause') await rollout.waitForPromotion(index, reason);
  } finally {
    analysis?.end();
  }
}

/** What the edge sees of both versions since the step began; a worker that takes the step over reads it all again. */
class Analysis {
  readonly #measured = new CanaryMeasurements();
  readonly #over = new AbortController();
  #run = NO_CHECKS;
  #checkedAt = performance.now();

  constructor(
    private readonly rollout: Rollout,
    private readonly rules: AnalysisRules,
  ) {
    const { session } = rollout;
    const since = session.state.rollout?.step_started_at ?? new Date().toISOString();
    const signal = AbortSignal.any([this.#over.signal, session.signal]);
    rollout.edge
      .observe(session.state.identity, since, (sample) => this.#take(sample), signal)
      .catch((error: unknown) => session.log('warn', `The requests cannot be observed: ${String(error)}`));
  }

  get evidence(): readonly string[] {
    return this.#judge().evidence;
  }

  /** When it is time. @throws DeployError `analysis_failed` */
  check(): void {
    if (performance.now() - this.#checkedAt < this.rules.interval_seconds * 1000) return;
    this.#checkedAt = performance.now();
    const judgement = this.#judge();
    const { run, decision, reason } = check(this.#run, this.rules, judgement);
    this.#run = run;
    const details = { analysis: judgement.kind, measured: judgement.evidence };
    this.rollout.session.log(judgement.kind === 'fail' ? 'warn' : 'info', `Analysis: ${reason}`, { details });
    if (decision === 'abort') throw new DeployError('analysis_failed', reason, { evidence: judgement.evidence });
  }

  conclude(): Conclusion {
    const conclusion = conclude(this.rules, this.#judge());
    this.rollout.session.log('info', `Analysis of the step: ${conclusion.decision}. ${conclusion.reason}`);
    return conclusion;
  }

  end(): void {
    this.#over.abort();
  }

  /** A WebSocket's time is how long it was open, which says nothing of the version. */
  #take(sample: RequestSample): void {
    if (sample.status !== 101) this.#measured.add(sample);
  }

  #judge(): ReturnType<typeof judgeCanary> {
    return judgeCanary(this.rules, this.#measured.stable, this.#measured.canary);
  }
}
