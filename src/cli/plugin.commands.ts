/** `flukedeploy plugin new` and `plugin list`: a plugin to begin with, and what the server has. */
import { resolve } from 'node:path';
import { HOOKS } from '../domain/plugin.js';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { writePlugin } from './plugin-template.js';
import { table, underBold } from './table.js';

export async function newPlugin(
  { terminal }: CommandContext,
  name: string,
  { folder = name }: { readonly folder?: string },
): Promise<number> {
  await writePlugin(name, resolve(folder));
  terminal.print([
    `${folder} holds a plugin, its test and a README. Go on with:`,
    `  cd ${folder}`,
    '  npm install',
    '  npm test',
  ]);
  return EXIT.success;
}

export async function plugins(context: CommandContext, { json }: { readonly json?: boolean }): Promise<number> {
  const { terminal } = context;
  const answer = await (await context.api()).plugins();
  if (json) terminal.json(answer);
  else {
    const rows = answer.plugins.map(({ name, version, origin, enabled, hooks, about }) => [
      name,
      version,
      origin,
      enabled.replace('_', ' '),
      HOOKS.filter((hook) => hooks[hook] !== undefined).join(', '),
      about,
    ]);
    terminal.print(
      underBold(table(['PLUGIN', 'VERSION', 'ORIGIN', 'ENABLED', 'HOOKS', 'ABOUT'], rows), terminal.paint),
    );
  }
  return EXIT.success;
}
