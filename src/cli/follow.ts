/** Follows a deployment to its end: every entry of its log once and in order, through restarts of the server. */
import { setTimeout as delay } from 'node:timers/promises';
import type { UnifiedLogEntry } from '../domain/log-entry.js';
import { isFinal } from '../domain/phases.js';
import type { DeploymentAnswer, EntriesAnswer } from './answers.js';
import type { Api, EntryFilter } from './api.js';

const WAIT_SECONDS = 25;
/** A server that stops answers waiting requests at once: it must not be asked in a tight loop. */
const IDLE_MS = 250;

/** Who looks on while a deployment runs. */
export interface Watcher {
  entry(entry: UnifiedLogEntry): void;
  /** Its state has changed, or may have. */
  deployment(deployment: DeploymentAnswer): void;
  /** Nothing comes any more. */
  end(): void;
}

/** @returns the deployment as it ended */
export async function follow(
  api: Api,
  id: string,
  watcher: Watcher,
  filter: EntryFilter = {},
): Promise<DeploymentAnswer> {
  watcher.deployment(await api.followedDeployment(id));
  // The cursor moves only with an answer that has arrived: what a broken connection swallowed is asked for again.
  for (let cursor: string | undefined; ;) {
    const page = await api.entries(id, filter, cursor, WAIT_SECONDS);
    const entries = inOrder(page);
    for (const entry of entries) watcher.entry(entry);
    cursor = page.next_cursor;

    if (entries.length > 0 && !entries.some(isMilestone)) continue;
    const deployment = await api.followedDeployment(id);
    watcher.deployment(deployment);
    // The status is read after the entries, so the last of them may still be to come.
    if (entries.length === 0 && isFinal(page.status)) return deployment;
    if (entries.length === 0) await delay(IDLE_MS);
  }
}

/** All entries there are by now, page by page. */
export async function* storedEntries(api: Api, id: string, filter: EntryFilter): AsyncGenerator<UnifiedLogEntry> {
  for (let cursor: string | undefined, more = true; more;) {
    const page = await api.entries(id, filter, cursor, 0);
    yield* inOrder(page);
    cursor = page.next_cursor;
    more = page.has_more;
  }
}

export function inOrder({ phases }: Pick<EntriesAnswer, 'phases'>): UnifiedLogEntry[] {
  return Object.values(phases)
    .flat()
    .sort((one, other) => one.flukedeploy_metadata.sequence - other.flukedeploy_metadata.sequence);
}

/** Lifecycle entries have an event type, lines of output have none. */
function isMilestone({ flukedeploy_metadata: { event_type } }: UnifiedLogEntry): boolean {
  return event_type !== undefined;
}
