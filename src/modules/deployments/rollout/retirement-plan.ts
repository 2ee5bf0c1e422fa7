/** When a service that has answered requests may go. */
import type { Retiring } from '../../../domain/traffic.js';

/** So long a client's kept connection may still send requests by the edge's routing before a change (its `keepalive_min_timeout`). */
const LINGER_MS = 12_000;
/** So long requests and WebSockets that it has open may go on afterwards. */
const DRAIN_MS = 30_000;

/**
 * @param delay_ms how long it shall run on in any case
 * @param now milliseconds since the epoch
 */
export function retire(service: string, hasEdge: boolean, delay_ms: number, now: number): Retiring {
  const from = now + Math.max(delay_ms, hasEdge ? LINGER_MS : 0);
  return {
    service,
    not_before: new Date(from).toISOString(),
    until: new Date(from + DRAIN_MS).toISOString(),
  };
}
