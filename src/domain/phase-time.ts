/** How long one attempt of a phase may take: its own time, and on top what was promised to those who run or wait in it. */
import type { AppConfig } from './app-spec.js';
import type { HookRule } from './hooks.js';
import { PHASE_RULES, type Phase } from './phases.js';
import { plannedWaitMs } from './strategy.js';

/**
 * Milliseconds; the deployment's own deadline counts besides.
 * @param hooks - those that run in it. Each is ended at its own deadline, whatever its options allow, so that is what it was promised
 */
export function allowedMs(
  phase: Phase,
  { strategy, health_check }: Pick<AppConfig, 'strategy' | 'health_check'>,
  hooks: readonly Pick<HookRule, 'timeout_seconds'>[],
): number {
  const bake_ms = phase === 'post_deploy' ? (health_check?.bake_ms ?? 0) : 0;
  const hooks_ms = hooks.reduce((sum, { timeout_seconds }) => sum + timeout_seconds * 1000, 0);
  return PHASE_RULES[phase].timeout_ms + plannedWaitMs(strategy) + bake_ms + hooks_ms;
}
