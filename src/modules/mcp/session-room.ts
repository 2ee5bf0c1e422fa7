/** Whose session ends so that another can begin. Pure. */
import { LIMITS } from '../../domain/limits.js';

const IDLE_MS = 30 * 60_000;

export interface HeldSession {
  readonly owner: string;
  /** Answers to it that have not ended, its stream among them. */
  readonly open: number;
  /** When it was used last, in milliseconds. */
  readonly used: number;
}

/**
 * Those that nobody uses, and one more where there is no room. An owner makes room for itself; only where it has nothing, whoever holds
 * the most does: so nobody ends the sessions of others by beginning more of its own.
 * @param owner who begins one
 * @param sessions by their id, in the order of their last use
 */
export function endingFor(owner: string, sessions: ReadonlyMap<string, HeldSession>, now: number): string[] {
  const all = [...sessions];
  const isIdle = ([, { open, used }]: Entry): boolean => open === 0 && used <= now - IDLE_MS;
  const idle = all.filter(isIdle);
  const kept = all.filter((entry) => !isIdle(entry));
  const own = kept.filter(([, session]) => session.owner === owner);
  const isFull = kept.length >= LIMITS.mcp_sessions || own.length >= LIMITS.mcp_sessions_per_token;
  const oldest = isFull ? oldestOf(own.length > 0 ? own : mostOf(kept)) : [];
  return [...idle, ...oldest].map(([id]) => id);
}

type Entry = readonly [id: string, session: HeldSession];

/** Where there is one, it is one that nobody listens to. */
function oldestOf(sessions: readonly Entry[]): Entry[] {
  const first = sessions.find(([, { open }]) => open === 0) ?? sessions[0];
  return first ? [first] : [];
}

function mostOf(sessions: readonly Entry[]): Entry[] {
  const shares = Map.groupBy(sessions, ([, { owner }]) => owner);
  return [...shares.values()].reduce((most, share) => (share.length > most.length ? share : most), []);
}
