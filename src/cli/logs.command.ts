/** `flukedeploy logs`: the log of one deployment, or of an app. */
import type { UnifiedLogEntry } from '../domain/log-entry.js';
import { PAGE_ENTRIES, type Api, type EntryFilter } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT, UsageError } from './failures.js';
import { storedEntries } from './follow.js';
import { datedEntryLines } from './render.js';
import { watch } from './watch.js';

export interface LogsOptions extends EntryFilter {
  readonly app?: string;
  /** Minutes. */
  readonly since?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const SINCE_MINUTES = 60;

export async function logs(context: CommandContext, id: string | undefined, options: LogsOptions): Promise<number> {
  const { app, phase, level, json = false } = options;
  if ((id === undefined) === (app === undefined))
    throw new UsageError('Name a deployment, or an app with --app <name>.');
  if (app !== undefined && (options.follow || phase !== undefined))
    throw new UsageError('--follow and --phase are for the log of one deployment.');
  if (id !== undefined && options.since !== undefined) throw new UsageError('--since is for the log of an app.');

  const api = await context.api();
  const filter = { ...(phase && { phase }), ...(level && { level }) };
  if (id !== undefined && options.follow) return watch(context, api, id, { json, filter });

  const { terminal } = context;
  const entries = id === undefined ? appEntries(api, app ?? '', options) : storedEntries(api, id, filter);
  for await (const entry of entries) {
    if (json) terminal.json(entry);
    else terminal.print(datedEntryLines(entry, terminal.paint));
  }
  return EXIT.success;
}

async function* appEntries(api: Api, app_name: string, { level, since }: LogsOptions): AsyncGenerator<UnifiedLogEntry> {
  const query = { app_name, since_minutes: since ?? SINCE_MINUTES, ...(level && { level }) };
  for (let cursor: string | undefined; ;) {
    const page = await api.logs({ ...query, ...(cursor !== undefined && { cursor }) });
    yield* page.entries;
    if (page.entries.length < PAGE_ENTRIES) return;
    cursor = page.next_cursor;
  }
}
