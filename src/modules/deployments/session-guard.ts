/** Keeps the lease of a session, and stops the session when its time is up or the lease is lost. */
import { DeployError } from '../../domain/errors.js';
import { MAX_INTERRUPTIONS, PHASE_RULES } from '../../domain/phases.js';
import type { PhaseClaims } from '../../domain/ports.js';
import type { DeploymentSession } from './deployment-session.js';

/** A worker gives up before its lease is over: until then nobody else may work on the phase. */
const TRUSTED_PART = 0.75;

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
  const phaseTimer = setTimeout(() => {
    session.stop(new DeployError('phase_timeout'));
  }, PHASE_RULES[session.phase].timeout_ms);
  const deadlineTimer = setTimeout(() => {
    session.stop(new DeployError('deployment_timeout'));
  }, session.claim.left_ms);

  // Where there is nothing to do but to take things back, the work does not even begin.
  if (session.state.cancel) session.stop(new DeployError('cancelled'));
  if (session.claim.left_ms <= 0) session.stop(new DeployError('deployment_timeout'));
  if (session.state.phases[session.phase].interruptions >= MAX_INTERRUPTIONS)
    session.stop(new DeployError('worker_lost'));

  return () => {
    clearInterval(heart);
    clearTimeout(phaseTimer);
    clearTimeout(deadlineTimer);
  };
}
