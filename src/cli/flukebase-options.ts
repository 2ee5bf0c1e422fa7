/** The commands about FlukeBase, with their options. */
import type { Command } from 'commander';
import { withAdminOptions } from './agent-options.js';
import type { CommandContext } from './command-context.js';
import {
  backfill,
  checkFlukeBase,
  deadLetters,
  discard,
  flukebase,
  replay,
  type BackfillOptions,
  type FlukeBaseCommandOptions,
  type ReplayOptions,
} from './flukebase.commands.js';
import { time } from './option-values.js';

type End = (outcome: Promise<number>) => Promise<void>;

export function addFlukeBaseCommands(program: Command, context: CommandContext, end: End): void {
  const command = withAdminOptions(program.command('flukebase'))
    // Behind the name of a command, --json is the command's own.
    .enablePositionalOptions()
    .description('show how far FlukeBase has been told of deployments')
    .action((options: FlukeBaseCommandOptions) => end(flukebase(context, options)));

  withAdminOptions(command.command('check'))
    .description('say whether FlukeBase can be reached, is trusted and takes the token; exit code 1 when not')
    .action((options: FlukeBaseCommandOptions) => end(checkFlukeBase(context, options)));

  withAdminOptions(command.command('backfill'))
    .description('send the logs and summaries of deployments that FlukeBase was never told of')
    .requiredOption('--since <time>', 'deployments that were asked for from this time on', time)
    .option('--until <time>', 'before this time; now when left out', time)
    .option('--cursor <cursor>', 'go on where it was broken off')
    .action((options: BackfillOptions) => end(backfill(context, options)));

  withAdminOptions(command.command('dead-letters'))
    .description('list what FlukeBase would not take')
    .action((options: FlukeBaseCommandOptions) => end(deadLetters(context, options)));

  withAdminOptions(command.command('replay').argument('[letters...]', 'ids of dead letters'))
    .description('send dead letters again')
    .option('--all', 'all of them')
    .action((ids: string[], options: ReplayOptions) => end(replay(context, ids, options)));

  withAdminOptions(command.command('discard').argument('<letters...>', 'ids of dead letters'))
    .description('forget dead letters: FlukeBase will never be told')
    .action((ids: string[], options: FlukeBaseCommandOptions) => end(discard(context, ids, options)));
}
