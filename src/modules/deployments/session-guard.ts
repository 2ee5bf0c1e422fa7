/** Keeps the lease of a session, and stops the session when its time is up or the lease is lost. */
import { DeployError } from '../../domain/errors.js';
import { MAX_INTERRUPTIONS, PHASE_RULES } from '../../domain/phases.js';
import type { PhaseClaims } from '../../domain/ports.js';
import { plannedWaitMs } from '../../domain/strategy.js';
import type { DeploymentSession } from './deployment-session.js';

/** A worker gives up before its lease is over: until then nobody else may work on the phase. */
const TRUSTED_PART = 0.75;
const CLOCK_MS = 250;

/**
 * @param askedAt `performance.now()` before the claim was made: the lease began no earlier
 * @returns the function that ends the guard
 */
export function guardSession(
  session: DeploymentSession,
  claims: PhaseClaims,
  lease_ms: number,
  askedAt: number,
): () => void {
  let alive = askedAt;
  const beat = async (): Promise<void> => {
    const asked = performance.now();
    const health = await claims.heartbeat(session.claim);
    alive = asked;
    if (health === 'cancelled') session.stop(new DeployError('cancelled'));
    if (health === 'lost') session.stop('lost');
  };
  const heart = setInterval(() => {
    if (performance.now() - alive > TRUSTED_PART * lease_ms) session.stop('lost');
    // No answer is no sign of life either.
    else beat().catch(() => undefined);
  }, lease_ms / 5);
  const allowed_ms = PHASE_RULES[session.phase].timeout_ms + plannedWaitMs(session.config.strategy);
  let spent_ms = 0;
  let looked = performance.now();
  // Time does not run while a rollout is paused.
  const clock = setInterval(() => {
    const now = performance.now();
    if (!session.isPaused) spent_ms += now - looked;
    looked = now;
    if (spent_ms > session.claim.left_ms) session.stop(new DeployError('deployment_timeout'));
    else if (spent_ms > allowed_ms) session.stop(new DeployError('phase_timeout'));
  }, CLOCK_MS);

  // Where there is nothing to do but to take things back, the work does not even begin.
  if (session.state.cancel) session.stop(new DeployError('cancelled'));
  if (session.claim.left_ms <= 0) session.stop(new DeployError('deployment_timeout'));
  if (session.state.phases[session.phase].interruptions >= MAX_INTERRUPTIONS)
    session.stop(new DeployError('worker_lost'));

  return () => {
    clearInterval(heart);
    clearInterval(clock);
  };
}
