/** How a replica stands after its probes so far. Pure. */

export interface Thresholds {
  readonly healthy_threshold: number;
  readonly unhealthy_threshold: number;
}

export interface Standing {
  readonly verdict: 'unknown' | 'healthy' | 'unhealthy';
  /** Probes in a row that ended as the last one did: above zero they were good, below they were bad. */
  readonly row: number;
}

export const UNKNOWN: Standing = { verdict: 'unknown', row: 0 };

/** A replica becomes healthy, or unhealthy, by that many equal probes in a row; fewer change nothing. */
export function after({ verdict, row }: Standing, good: boolean, thresholds: Thresholds): Standing {
  const next = good ? Math.max(row, 0) + 1 : Math.min(row, 0) - 1;
  if (next >= thresholds.healthy_threshold) return { verdict: 'healthy', row: next };
  if (-next >= thresholds.unhealthy_threshold) return { verdict: 'unhealthy', row: next };
  return { verdict, row: next };
}
