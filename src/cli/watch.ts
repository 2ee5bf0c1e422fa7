/** Watches a deployment to its end and tells the verdict: how `deploy` and `logs --follow` go on. */
import type { Api, EntryFilter } from './api.js';
import type { CommandContext } from './command-context.js';
import { Interrupted, verdictOf } from './failures.js';
import { follow } from './follow.js';
import { phaseLine, summaryLines } from './render.js';
import { watcherFor } from './watchers.js';

export interface WatchOptions {
  readonly json: boolean;
  readonly filter?: EntryFilter;
}

/** @returns the exit code that is the verdict */
export async function watch(context: CommandContext, api: Api, id: string, options: WatchOptions): Promise<number> {
  const { terminal } = context;
  const watcher = watcherFor(terminal, options.json);
  const deployment = await follow(api, id, watcher, options.filter)
    .catch((error: unknown) => {
      throw error instanceof Interrupted ? new Interrupted(howToGoOn(id)) : error;
    })
    .finally(() => watcher.end());
  if (options.json) terminal.json(deployment);
  else terminal.print([phaseLine(deployment, Date.now(), terminal.paint), ...summaryLines(deployment, terminal.paint)]);
  return verdictOf(deployment.status);
}

function howToGoOn(id: string): string[] {
  return [
    'The deployment goes on.',
    `  watch it:  flukedeploy logs ${id} --follow`,
    `  cancel it: flukedeploy cancel ${id}`,
  ];
}
