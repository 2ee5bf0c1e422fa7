/** `flukedeploy status`, `cancel` and `history`: one question, one answer. */
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { historyLines, statusLines } from './render.js';

interface ShowOptions {
  readonly json?: boolean;
}

export async function status(context: CommandContext, id: string, { json }: ShowOptions): Promise<number> {
  const { terminal } = context;
  const deployment = await (await context.api()).deployment(id);
  if (json) terminal.json(deployment);
  else terminal.print(statusLines(deployment, Date.now(), terminal.paint));
  return EXIT.success;
}

export async function cancel(
  context: CommandContext,
  id: string,
  { json, reason }: ShowOptions & { readonly reason?: string },
): Promise<number> {
  const { terminal } = context;
  const deployment = await (await context.api()).cancel(id, reason);
  if (json) terminal.json(deployment);
  // A running phase is stopped first, which takes a moment.
  else if (deployment.status === 'cancelled') terminal.print(statusLines(deployment, Date.now(), terminal.paint));
  else terminal.print([`Cancelling. Watch it end: flukedeploy logs ${id} --follow`]);
  return EXIT.success;
}

export async function history(
  context: CommandContext,
  appName: string,
  { json, limit }: ShowOptions & { readonly limit: number },
): Promise<number> {
  const { terminal } = context;
  const answer = await (await context.api()).history(appName, limit);
  if (json) {
    terminal.json(answer);
    return EXIT.success;
  }
  terminal.print(historyLines(answer.deployments, terminal.paint));
  const more = answer.total - answer.deployments.length;
  if (more > 0) terminal.note(`${more} older ones: --limit ${answer.total}`);
  return EXIT.success;
}
