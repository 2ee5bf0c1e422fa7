/** Watches a deployment to its end and tells the verdict: how `deploy` and `logs --follow` go on. */
import type { DeploymentAnswer } from './answers.js';
import type { Api, EntryFilter } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT, Interrupted, Unreachable, verdictOf } from './failures.js';
import { follow } from './follow.js';
import { printable } from './printable.js';
import { phaseLine, summaryLines } from './render.js';
import type { Terminal } from './terminal.js';
import { watcherFor } from './watchers.js';

export interface AcceptedOptions {
  readonly json?: boolean;
  readonly detach?: boolean;
}

/** Whoever hears no answer gets to know how to ask again without asking twice. */
export async function sent(
  terminal: Terminal,
  key: string,
  send: () => Promise<DeploymentAnswer>,
): Promise<DeploymentAnswer> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Interrupted)
      terminal.note(
        `It is not known whether the deployment was accepted. To repeat it safely: --idempotency-key ${key}`,
      );
    throw error;
  }
}

/** A deployment that was just asked for: watched to its end, or only named. */
export async function watchAccepted(
  context: CommandContext,
  api: Api,
  accepted: DeploymentAnswer,
  { json = false, detach = false }: AcceptedOptions,
): Promise<number> {
  const { terminal } = context;
  if (!detach) {
    if (!json) terminal.print([`Deployment ${printable(accepted.deployment_id)}`]);
    return watch(context, api, accepted.deployment_id, { json });
  }
  if (json) terminal.json(accepted);
  else terminal.print([printable(accepted.deployment_id)]);
  return EXIT.success;
}

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
