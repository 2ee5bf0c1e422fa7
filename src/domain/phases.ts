/** The five phases of a deployment with their time and retry table: what `decide` decides by. */

export const PHASES = ['pre_build', 'build', 'pre_deploy', 'deploy', 'post_deploy'] as const;
export type Phase = (typeof PHASES)[number];

export const DEPLOYMENT_STATUSES = [
  'pending',
  'building',
  'deploying',
  'success',
  'failed',
  'rolled_back',
  'cancelled',
] as const;
export type DeploymentStatus = (typeof DEPLOYMENT_STATUSES)[number];

export const FINAL_STATUSES = [
  'success',
  'failed',
  'rolled_back',
  'cancelled',
] as const satisfies readonly DeploymentStatus[];

export function isFinal(status: DeploymentStatus): boolean {
  return (FINAL_STATUSES as readonly DeploymentStatus[]).includes(status);
}

export type PhaseStatus = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped';

interface PhaseRule {
  /** Status of the deployment while this phase runs. */
  readonly status: DeploymentStatus;
  /** Time of one attempt; `allowedMs` adds what hooks and waits were promised. */
  readonly timeout_ms: number;
  /** Attempts in all, of failures that are retryable by the error table. */
  readonly max_attempts: number;
  /** Waiting time before the second attempt; doubled for each further one, with jitter. */
  readonly backoff_ms: number;
}

export const PHASE_RULES: Readonly<Record<Phase, PhaseRule>> = {
  pre_build: { status: 'building', timeout_ms: 300_000, max_attempts: 3, backoff_ms: 1_000 },
  build: { status: 'building', timeout_ms: 1_800_000, max_attempts: 3, backoff_ms: 2_000 },
  // Tests and migrations run in it.
  pre_deploy: { status: 'deploying', timeout_ms: 1_800_000, max_attempts: 3, backoff_ms: 1_000 },
  deploy: { status: 'deploying', timeout_ms: 900_000, max_attempts: 3, backoff_ms: 2_000 },
  post_deploy: { status: 'deploying', timeout_ms: 600_000, max_attempts: 2, backoff_ms: 1_000 },
};

/** A phase whose worker died this often is given up: it most likely kills its workers. */
export const MAX_INTERRUPTIONS = 5;

const MAX_BACKOFF_MS = 30_000;

/**
 * Milliseconds to wait before `attempt` (2 = the first retry): exponential, between half and the whole of the step.
 * The jitter is a hash of the deployment, so that the same log always folds to the same decision.
 */
export function backoffBefore(phase: Phase, attempt: number, seed: string): number {
  const step = Math.min(PHASE_RULES[phase].backoff_ms * 2 ** (attempt - 2), MAX_BACKOFF_MS);
  return Math.round(step * (0.5 + 0.5 * fraction(`${seed}/${phase}/${attempt}`)));
}

/** FNV-1a of the text, as a number in [0, 1). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash / 2 ** 32;
}
