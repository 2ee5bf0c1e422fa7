/** How traffic moves to a new version: the three strategies with their parameters and defaults. Field names follow Kubernetes and Argo Rollouts. */

/** Replicas: a number, or a percentage of all such as `25%`. */
export type ReplicaShare = number | `${number}%`;

/** Waves: new replicas come, prove themselves and take requests before as many old ones go. */
export interface RollingStrategy {
  readonly type: 'rolling';
  /** How many replicas there may be beyond those asked for; a percentage is rounded up. */
  readonly max_surge: ReplicaShare;
  /** How many replicas may be missing meanwhile; a percentage is rounded down. */
  readonly max_unavailable: ReplicaShare;
}

/** The whole new set beside the old one, and one switch. */
export interface BlueGreenStrategy {
  readonly type: 'blue_green';
  /** Host name at which the new set answers before the switch. */
  readonly preview_host?: string;
  /** False: the switch waits for `promote`. */
  readonly auto_promote: boolean;
  /** How long the old set runs on after the switch, ready to take the traffic back. */
  readonly scale_down_delay_seconds: number;
}

/** Requests that carry this header or cookie always reach the canary. */
export type CanaryMatch =
  { readonly header: string; readonly value: string } | { readonly cookie: string; readonly value: string };

export type CanaryStep =
  /** Percent of the requests that the canary gets from now on. */
  | { readonly set_weight: number }
  /** Without a duration: until `promote` or `resume`. */
  | { readonly pause: { readonly duration_seconds?: number } };

export const STICKINESS = ['none', 'cookie'] as const;
export type Stickiness = (typeof STICKINESS)[number];

/** A growing share of the requests, judged by what the edge sees of both versions. */
export interface CanaryStrategy {
  readonly type: 'canary';
  readonly steps: readonly CanaryStep[];
  /** `cookie`: a visitor who met the canary once stays with it. */
  readonly stickiness: Stickiness;
  readonly match: readonly CanaryMatch[];
  readonly analysis: AnalysisRules | false;
  readonly scale_down_delay_seconds: number;
}

export const INCONCLUSIVE_CHOICES = ['pause', 'promote', 'abort'] as const;
export type InconclusiveChoice = (typeof INCONCLUSIVE_CHOICES)[number];

/** When a canary is bad. Both versions are measured over the same time, at the edge. */
export interface AnalysisRules {
  /** How often it is judged. */
  readonly interval_seconds: number;
  /** With fewer requests to the canary in a step there is no verdict. */
  readonly min_requests: number;
  /** Checks in a row that may fail before the canary is taken back. */
  readonly failure_limit: number;
  /** Percentage points by which the canary's share of 5xx may exceed the stable version's. */
  readonly max_error_increase_percent: number;
  /** Which part of the requests the latency is compared at, such as 0.95. */
  readonly latency_quantile: number;
  /** How many times the stable version's latency the canary may take. */
  readonly max_latency_ratio: number;
  /** Differences of latency below this count as none. */
  readonly latency_tolerance_ms: number;
  /** What happens when a step ends without enough requests. */
  readonly on_inconclusive: InconclusiveChoice;
}

export type Strategy = RollingStrategy | BlueGreenStrategy | CanaryStrategy;
export type StrategyType = Strategy['type'];
export const STRATEGY_TYPES = ['rolling', 'blue_green', 'canary'] as const satisfies readonly StrategyType[];

export const DEFAULT_ANALYSIS: AnalysisRules = {
  interval_seconds: 5,
  min_requests: 50,
  failure_limit: 2,
  max_error_increase_percent: 1,
  latency_quantile: 0.95,
  max_latency_ratio: 1.5,
  latency_tolerance_ms: 20,
  on_inconclusive: 'pause',
};

export const DEFAULT_STRATEGIES = {
  rolling: { type: 'rolling', max_surge: '25%', max_unavailable: 0 },
  blue_green: { type: 'blue_green', auto_promote: true, scale_down_delay_seconds: 30 },
  canary: {
    type: 'canary',
    steps: [
      { set_weight: 10 },
      { pause: { duration_seconds: 60 } },
      { set_weight: 50 },
      { pause: { duration_seconds: 60 } },
    ],
    stickiness: 'none',
    match: [],
    analysis: DEFAULT_ANALYSIS,
    scale_down_delay_seconds: 30,
  },
} as const satisfies { readonly [Type in StrategyType]: Extract<Strategy, { type: Type }> };

/** Milliseconds that the strategy waits by itself: they come on top of the time that a deployment may take. */
export function plannedWaitMs(strategy: Strategy): number {
  if (strategy.type !== 'canary') return 0;
  return (
    strategy.steps.reduce((sum, step) => sum + ('pause' in step ? (step.pause.duration_seconds ?? 0) : 0), 0) * 1000
  );
}
