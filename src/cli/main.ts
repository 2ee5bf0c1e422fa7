/** The command line `flukedeploy`: the table of its commands. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { LOG_LEVELS } from '../domain/log-entry.js';
import { PHASES } from '../domain/phases.js';
import {
  apps,
  releases,
  restart,
  rollback,
  scale,
  type AppOptions,
  type ChangeOptions,
  type RollbackOptions,
} from './app.commands.js';
import { addAgentCommands } from './agent-options.js';
import { audit, verifyAudit, type AuditOptions, type AuditVerifyOptions } from './audit.commands.js';
import { CommandContext } from './command-context.js';
import { deploy } from './deploy.command.js';
import { withDeployOptions, withValidateOptions, type DeployOptions } from './deploy-options.js';
import { cancel, history, status } from './deployment.commands.js';
import { reportFailure } from './failure-report.js';
import { EXIT, exitCodeOf } from './failures.js';
import { addFlukeBaseCommands } from './flukebase-options.js';
import { login, logout } from './login.command.js';
import { logs, type LogsOptions } from './logs.command.js';
import { mcp } from './mcp.command.js';
import { chainLink, integer, pluginName, time } from './option-values.js';
import type { PasswordOptions } from './password.js';
import { newPlugin, plugins } from './plugin.commands.js';
import { say, type SayOptions } from './rollout.commands.js';
import { validate, type ValidateOptions } from './validate.command.js';
import { processHost, type Host } from './terminal.js';

const EXIT_CODES = `
Exit codes:
  0  success                          3    the deployment was cancelled
  1  failed, rolled back, not valid   4    the server cannot be reached
  2  wrong usage, or refused          130  interrupted: the deployment goes on`;

/** @returns the exit code */
export async function main(argv: readonly string[], host: Host = processHost()): Promise<number> {
  const context = new CommandContext(host);
  let code: number = EXIT.success;
  let json = false;
  const program = commandTable(context, async (outcome) => {
    code = await outcome;
  });
  program.hook('preAction', (_program, command) => {
    json = command.opts<{ json?: boolean }>().json ?? false;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has told it already; asking for help is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.success : EXIT.refused;
    reportFailure(error, context.terminal, json);
    return exitCodeOf(error);
  }
}

type End = (outcome: Promise<number>) => Promise<void>;

function commandTable(context: CommandContext, end: End): Command {
  const { stdout, stderr } = context.host;
  const program = new Command('flukedeploy')
    .description('Deploys apps to a FlukeDeploy server and watches them go live.')
    .version(packageVersion())
    // Behind the name of a command, --version is the command's own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText('after', EXIT_CODES);

  program
    .command('login [url]')
    .description('log in with the admin password, and keep a token that can deploy')
    .option('--password-file <file>', 'file that holds the password')
    .option('--password-stdin', 'read the password from standard input')
    .action((url: string | undefined, options: PasswordOptions) => end(login(context, url, options)));

  program
    .command('logout')
    .description('forget the token')
    .action(() => end(logout(context)));

  withDeployOptions(program.command('deploy [folder]'))
    .description('deploy a folder (or an archive, image or git repository) and watch it go live')
    .action((folder: string | undefined, options: DeployOptions) => end(deploy(context, folder, options)));

  withValidateOptions(program.command('validate [folder]'))
    .description('say what would become of a deployment: its issues and its plan; nothing is deployed')
    .action((folder: string | undefined, options: ValidateOptions) => end(validate(context, folder, options)));

  program
    .command('status <deployment>')
    .description('show how a deployment stands')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean }) => end(status(context, id, options)));

  program
    .command('logs [deployment]')
    .description('show the log of a deployment, or of an app')
    .option('-f, --follow', 'watch the deployment to its end; the exit code is its verdict')
    .addOption(new Option('--phase <phase>', 'this phase only').choices(PHASES))
    .addOption(new Option('--level <level>', 'this level and above').choices(LOG_LEVELS))
    .option('--app <name>', 'all deployments of an app')
    .option('--since <minutes>', 'with --app: how far back, 60 when left out', integer)
    .option('--json', 'as JSON lines')
    .action((id: string | undefined, options: LogsOptions) => end(logs(context, id, options)));

  program
    .command('cancel <deployment>')
    .description('stop a deployment')
    .option('--reason <text>', 'why, for the log')
    .option('--json', 'as JSON')
    .action((id: string, options: { json?: boolean; reason?: string }) => end(cancel(context, id, options)));

  program
    .command('history <app>')
    .description('list the deployments of an app, newest first')
    .option('--limit <number>', 'how many', integer, 20)
    .option('--json', 'as JSON')
    .action((app: string, options: { json?: boolean; limit: number }) => end(history(context, app, options)));

  program
    .command('mcp')
    .description('serve MCP over standard input and output, for agents; they start it by themselves')
    .action(() => end(mcp(context)));

  addAppCommands(program, context, end);
  addRolloutCommands(program, context, end);
  addPluginCommands(program, context, end);
  addAuditCommands(program, context, end);
  addAgentCommands(program, context, end);
  addFlukeBaseCommands(program, context, end);
  return program;
}

function addAppCommands(program: Command, context: CommandContext, end: End): void {
  program
    .command('apps')
    .description('list the apps and what is live of them')
    .option('--json', 'as JSON')
    .action((options: AppOptions) => end(apps(context, options)));

  program
    .command('releases <app>')
    .description('list the releases of an app, newest first')
    .option('--environment <name>', 'such as staging; production when left out')
    .option('--limit <number>', 'how many', integer, 20)
    .option('--json', 'as JSON')
    .action((app: string, options: AppOptions & { limit: number }) => end(releases(context, app, options)));

  withChangeOptions(program.command('rollback <app>'))
    .description('go back to a release, the one before when none is named, and watch it')
    .addOption(new Option('--to <release>', 'number of the release').argParser(integer).conflicts('version'))
    .option('--version <label>', 'the newest release of this version')
    .action((app: string, options: RollbackOptions) => end(rollback(context, app, options)));

  withChangeOptions(program.command('scale <app>').argument('<replicas>', 'how many; 0 = stopped', integer))
    .description('change the number of replicas, and watch it')
    .action((app: string, replicas: number, options: ChangeOptions) => end(scale(context, app, replicas, options)));

  withChangeOptions(program.command('restart <app>'))
    .description('replace every replica by a new one of the same content, and watch it')
    .action((app: string, options: ChangeOptions) => end(restart(context, app, options)));
}

function withChangeOptions(command: Command): Command {
  return command
    .option('--environment <name>', 'such as staging; production when left out')
    .option('--reason <text>', 'why, for the log')
    .option('--idempotency-key <key>', 'the same key never does it twice')
    .option('--detach', 'print the id of the deployment and return at once')
    .option('--json', 'JSON lines: the entries of the log, and the deployment as the last line');
}

function addRolloutCommands(program: Command, context: CommandContext, end: End): void {
  const words = {
    promote: 'end the pause of a rollout, so that its next step begins',
    pause: 'hold a rollout where it is',
    resume: 'go on with a rollout that is paused',
    abort: 'take a rollout back',
  } as const;
  for (const word of ['promote', 'pause', 'resume', 'abort'] as const) {
    const command = program.command(`${word} <deployment>`).description(words[word]).option('--json', 'as JSON');
    if (word === 'promote') command.option('--full', 'leave out all further steps');
    if (word === 'pause' || word === 'abort') command.option('--reason <text>', 'why, for the log');
    command.action((id: string, options: SayOptions) => end(say(context, word, id, options)));
  }
}

function addPluginCommands(program: Command, context: CommandContext, end: End): void {
  const plugin = program.command('plugin').description('write a plugin, or list those of the server');
  plugin
    .command('new')
    .argument('<name>', 'lower-case letters, digits and dashes', pluginName)
    .description('write a plugin to begin with, and its test')
    .option('--folder <folder>', 'where; a folder of that name when left out')
    .action((name: string, options: { folder?: string }) => end(newPlugin(context, name, options)));

  plugin
    .command('list')
    .description('list the plugins of the server')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => end(plugins(context, options)));
}

function addAuditCommands(program: Command, context: CommandContext, end: End): void {
  const command = program
    .command('audit')
    .description('show who changed what, and who was refused')
    .option('--actor <name>', 'of this person or token')
    .option('--agent <name>', 'of this agent')
    .option('--action <action>', 'such as app.scale')
    .option('--target <target>', 'such as web/production')
    .option('--outcome <outcome>', 'succeeded, unknown, or the code of an error')
    .option('--since <time>', 'from this time on', time)
    .option('--until <time>', 'before this time', time)
    .option('--json', 'as JSON lines, which can be verified')
    .action((options: AuditOptions) => end(audit(context, options)));

  command
    .command('verify')
    .description('prove that nobody has rewritten the audit trail; exit code 1 when somebody has')
    .option('--file <file>', 'an export, as JSON lines, instead of the trail of the server')
    .option('--anchor <number:hash>', 'an entry that was noted earlier, and must still be there', chainLink)
    .option('--json', 'as JSON')
    .action((options: AuditVerifyOptions) => end(verifyAudit(context, options)));
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
