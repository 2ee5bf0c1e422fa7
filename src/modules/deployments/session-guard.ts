/** Keeps the lease of a session, and stops the session when its time is up or the lease is lost. */
import { DeployError } from '../../domain/errors.js';
import { HOOKS } from '../../domain/hooks.js';
import { allowedMs } from '../../domain/phase-time.js';
import { MAX_INTERRUPTIONS } from '../../domain/phases.js';
import type { Plugin } from '../../domain/plugin.js';
import type { PhaseClaims } from '../../domain/ports.js';
import type { DeploymentSession } from './deployment-session.js';
import { dueHooks } from './hooks/due-hooks.js';

/** A worker gives up before its lease is over: until then nobody else may work on the phase. */
const TRUSTED_PART = 0.75;
const CLOCK_MS = 250;

/**
 * @param plugins of this worker: their hooks in the phase have been promised time
 * @param askedAt `performance.now()` before the claim was made: the lease began no earlier
 * @returns the function that ends the guard
 */
export function guardSession(
  session: DeploymentSession,
  claims: Pick<PhaseClaims, 'heartbeat'>,
  plugins: readonly Plugin[],
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
  const allowed_ms = timeOf(session, plugins);
  const late = `${session.phase} took longer than the ${allowed_ms / 1000} s that it may.`;
  let spent_ms = 0;
  let looked = performance.now();
  // Time does not run while a rollout is paused.
  const clock = setInterval(() => {
    const now = performance.now();
    if (!session.isPaused) spent_ms += now - looked;
    looked = now;
    if (spent_ms > session.claim.left_ms) session.stop(new DeployError('deployment_timeout'));
    else if (spent_ms > allowed_ms) session.stop(new DeployError('phase_timeout', late));
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

function timeOf({ phase, state, record, config }: DeploymentSession, plugins: readonly Plugin[]): number {
  const hook = HOOKS.find((name) => name === phase);
  const { due } = hook ? dueHooks(plugins, hook, state.identity, record.spec, config) : { due: [] };
  return allowedMs(
    phase,
    config,
    due.map(({ rule }) => rule),
  );
}
