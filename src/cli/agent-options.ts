/** The commands about agents, approvals and tokens, with their options. */
import { Option, type Command } from 'commander';
import { SCOPES } from '../domain/policy.js';
import { STRATEGY_TYPES } from '../domain/strategy.js';
import {
  agents,
  approvals,
  createToken,
  decide,
  freeze,
  unfreeze,
  type AdminOptions,
  type FreezeOptions,
  type TokenOptions,
} from './agent.commands.js';
import type { CommandContext } from './command-context.js';
import { integer, listed } from './option-values.js';

type End = (outcome: Promise<number>) => Promise<void>;

export function addAgentCommands(program: Command, context: CommandContext, end: End): void {
  const agent = withAdminOptions(program.command('agents'))
    // Behind the name of a command, --json is the command's own.
    .enablePositionalOptions()
    .description('list the agents; freeze or unfreeze them all')
    .action((options: AdminOptions) => end(agents(context, options)));
  withAdminOptions(agent.command('freeze'))
    .description('stop every agent at once: it may read, and change nothing')
    .requiredOption('--reason <text>', 'why: agents that are refused are told')
    .option('--cancel-running', 'cancel what agents have asked for and has not ended')
    .action((options: FreezeOptions) => end(freeze(context, options)));
  withAdminOptions(agent.command('unfreeze'))
    .description('let agents do again what their tokens allow')
    .action((options: AdminOptions) => end(unfreeze(context, options)));

  withAdminOptions(program.command('approvals'))
    .description('list what agents have asked people to approve')
    .addOption(
      new Option('--status <status>', 'only those').choices(['pending', 'approved', 'rejected', 'used', 'expired']),
    )
    .action((options: AdminOptions & { status?: string }) => end(approvals(context, options)));
  for (const word of ['approve', 'reject'] as const) {
    withAdminOptions(program.command(`${word} <approval>`))
      .description(`${word} what an agent has asked for`)
      .option('--reason <text>', 'why, for the agent and the audit trail')
      .action((id: string, options: AdminOptions & { reason?: string }) => end(decide(context, word, id, options)));
  }
  addTokenCommand(program, context, end);
}

function addTokenCommand(program: Command, context: CommandContext, end: End): void {
  const token = program.command('token').description('make API tokens');
  withAdminOptions(token.command('create <name>'))
    .description('make a token, and print it once')
    .option('--operator', 'for an agent that may read, deploy and roll back; for 30 days')
    .option('--agent <name>', 'the agent that acts with it')
    .addOption(new Option('--scope <scope...>', 'what it allows').choices(SCOPES))
    .option('--app <pattern>', 'an app that it may touch; repeatable', listed)
    .option('--environment <pattern>', 'an environment that it may change; repeatable', listed)
    .option('--max-replicas <number>', 'the most replicas that it may ask for', integer)
    .addOption(new Option('--strategy <type...>', 'the strategies that it may use').choices(STRATEGY_TYPES))
    .option('--deploys-per-hour <number>', 'how many deployments it may ask for', integer)
    .option('--approval-in <environment>', 'where a person must approve first, such as production; repeatable', listed)
    .option(
      '--approval-by-elicitation',
      'whoever uses the client of the agent may approve; without --approval-in everything',
    )
    .option('--expires-in-days <days>', 'how long it is good', integer)
    .action((name: string, options: TokenOptions) => end(createToken(context, name, options)));
}

/** The token that login keeps can deploy, and no more: these need another one in FLUKEDEPLOY_TOKEN, or the password. */
export function withAdminOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'as administrator: file that holds the password')
    .option('--password-stdin', 'as administrator: read the password from standard input')
    .option('--json', 'as JSON');
}
