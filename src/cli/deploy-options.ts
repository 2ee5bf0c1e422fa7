/** The options of `deploy`: one for each field of the API that people set by hand; `--spec` takes all the others. */
import { Option, type Command } from 'commander';
import {
  ON_CONFLICT,
  VALIDATION_LEVELS,
  type OnConflict,
  type PortMapping,
  type ValidationLevel,
  type VolumeMount,
} from '../domain/app-spec.js';
import type { PluginUse } from '../domain/hooks.js';
import { STRATEGY_TYPES, type StrategyType } from '../domain/strategy.js';
import { environmentValue, integer, listed, pluginUse, portMapping, volumeMount } from './option-values.js';

/** What is asked for. */
export interface OrderOptions {
  readonly app?: string;
  readonly image?: string;
  readonly git?: string;
  readonly ref?: string;
  readonly gitTokenFile?: string;
  readonly tar?: string;
  readonly spec?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly replicas?: number;
  readonly port?: number;
  readonly publish?: readonly PortMapping[];
  readonly volume?: readonly VolumeMount[];
  readonly healthPath?: string;
  readonly domain?: readonly string[];
  readonly appVersion?: string;
  readonly environment?: string;
  readonly project?: string;
  readonly strategy?: StrategyType;
  readonly validationLevel?: ValidationLevel;
  readonly plugin?: readonly PluginUse[];
  readonly autoRollback: boolean;
  readonly timeout?: number;
  readonly onConflict?: OnConflict;
  readonly reason?: string;
}

export interface DeployOptions extends OrderOptions {
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export function withDeployOptions(command: Command): Command {
  return withOrderOptions(command)
    .option('--idempotency-key <key>', 'the same key never deploys twice')
    .optionsGroup('What is shown:')
    .option('--detach', 'print the id of the deployment and return at once')
    .option('--json', 'JSON lines: the entries of the log, and the deployment as the last line')
    .optionsGroup('Options:');
}

export function withValidateOptions(command: Command): Command {
  return withOrderOptions(command)
    .optionsGroup('What is validated:')
    .option('--live', 'no source: the app as it is live, with what else is asked for')
    .option('--run-tests', "build or fetch the image, and run the app's tests in it")
    .option('--security-scan', 'build or fetch the image, and look for known vulnerabilities in it')
    .optionsGroup('What is shown:')
    .option('--json', 'as JSON')
    .optionsGroup('Options:');
}

function withOrderOptions(command: Command): Command {
  return command
    .optionsGroup('What is deployed (one of them, else the folder):')
    .option('--image <reference>', 'an image')
    .option('--git <url>', 'a git repository')
    .option('--ref <ref>', 'its branch, tag or commit')
    .option('--git-token-file <file>', 'file with the access token of a private repository')
    .option('--tar <file>', 'a tar or tar.gz that is there already')
    .optionsGroup('The app (what is left out stays as it is):')
    .option('--app <name>', 'name of the app')
    .option('--env <KEY=VALUE>', 'environment variable, repeatable; replaces all there are', environmentValue)
    .option('--env-file <file>', 'file of environment variables; --env comes after it')
    .option('--replicas <number>', 'how many containers run', integer)
    .option('--port <port>', "the container's HTTP port", integer)
    .option(
      '--publish <host:container>',
      'port published on the nodes, /udp at its end for UDP, repeatable',
      portMapping,
    )
    .option('--volume <source:target>', 'volume, :ro at its end for reading only, repeatable', volumeMount)
    .option('--domain <host>', 'host name of the app, repeatable; replaces all there are', listed)
    .option('--health-path <path>', 'path that answers 2xx or 3xx when the app is healthy')
    .option('--app-version <label>', 'label of the release')
    .option('--environment <name>', 'such as staging; production when left out')
    .option('--project <name>', 'project of the app')
    .option('--spec <file>', 'JSON with any fields of POST /api/v1/deploy; options come after it')
    .optionsGroup('How it is deployed:')
    .addOption(new Option('--strategy <strategy>', 'how replicas are replaced').choices(STRATEGY_TYPES))
    .addOption(new Option('--validation-level <level>', 'which gates must pass').choices(VALIDATION_LEVELS))
    .option('--plugin <name[=options]>', 'plugin that is on, with its options as JSON, repeatable', pluginUse)
    .option('--no-auto-rollback', 'leave a failed release running')
    .option('--timeout <seconds>', 'longest time for the whole deployment', integer)
    .addOption(new Option('--on-conflict <what>', 'when another deployment of the app runs').choices(ON_CONFLICT))
    .option('--reason <text>', 'why, for the log');
}
