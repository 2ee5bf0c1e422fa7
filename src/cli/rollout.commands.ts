/** `flukedeploy promote`, `pause`, `resume` and `abort`: a word to a rollout under way. */
import type { RolloutWord } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { statusLines } from './render.js';

export interface SayOptions {
  readonly full?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

export async function say(
  context: CommandContext,
  word: RolloutWord,
  id: string,
  { full, reason, json }: SayOptions,
): Promise<number> {
  const { terminal } = context;
  const body = { ...(full && { full }), ...(reason !== undefined && { reason }) };
  const deployment = await (await context.api()).say(id, word, body);
  if (json) terminal.json(deployment);
  else terminal.print(statusLines(deployment, Date.now(), terminal.paint));
  return EXIT.success;
}
