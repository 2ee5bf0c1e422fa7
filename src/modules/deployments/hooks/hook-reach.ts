/** What hooks reach beside the log: commands in the new image, and the new version itself. */
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../../domain/errors.js';
import { LIMITS } from '../../../domain/limits.js';
import { pluginComponent, createDeploymentLog } from '../../../domain/log-entry.js';
import type { PluginImage, PreDeployContext } from '../../../domain/plugin.js';
import { Cluster, Edge, Images, Jobs, type DesiredService, type Job } from '../../../domain/ports.js';
import { hostsOf } from '../../../domain/rollout-plan.js';
import type { HookSession } from './hook-session.js';
import { RolloutOptions } from '../rollout/rollouts.js';
import { VersionClient } from '../version-client.js';
import type { DueHook } from './due-hooks.js';
import type { Reach } from './hook-runner.js';

type Run = PreDeployContext['run'];

@Injectable()
export class HookReach {
  constructor(
    private readonly jobs: Jobs,
    private readonly images: Images,
    private readonly cluster: Cluster,
    private readonly edge: Edge,
    private readonly options: RolloutOptions,
  ) {}

  beforeTraffic(session: HookSession, image: PluginImage, due: DueHook, signal: AbortSignal): Reach<'pre_deploy'> {
    return { image: pluginImage(image), run: this.#run(session, image.reference, due, signal) };
  }

  async serving(
    session: HookSession,
    { name: service, image: reference }: Pick<DesiredService, 'name' | 'image'>,
    due: DueHook,
    signal: AbortSignal,
  ): Promise<Reach<'post_deploy'>> {
    const { config, state } = session;
    const image = await this.images.resolve(reference, session.output, signal);
    const hosts = hostsOf(state.identity, config.domains, this.options.rootDomain);
    const [host] = hosts;
    const url = this.edge.enabled && config.port > 0 && host !== undefined && { url: this.options.urlOf(host) };
    const version = { service, port: config.port, hosts, ...url };
    const client = new VersionClient(version, { cluster: this.cluster, edge: this.edge }, signal);
    const { fetch, connect } = client;
    const run = this.#run(session, image.reference, due, signal);
    return { image: pluginImage(image), service: await client.service(), fetch, connect, run };
  }

  #run(session: HookSession, image: string, { plugin }: DueHook, signal: AbortSignal): Run {
    const component = pluginComponent(plugin.name);
    const say = (message: string): void =>
      session.emit(
        createDeploymentLog({
          ...session.place(),
          component,
          message: session.bounded(message, LIMITS.log_line_length),
        }),
      );
    return async (command, { env = {}, timeoutSeconds = LIMITS.hook_seconds } = {}) => {
      checkRun(command, env, timeoutSeconds);
      say(`Runs ${command.join(' ')}`);
      const [program] = command;
      const late = new DeployError('hook_timeout', `${program} took longer than the ${timeoutSeconds} s that it may.`);
      const clock = new AbortController();
      const timer = setTimeout(() => clock.abort(late), timeoutSeconds * 1000);
      try {
        const stop = AbortSignal.any([signal, clock.signal]);
        const job = jobOf(session, plugin.name, image, command, env);
        const result = await this.jobs.run(job, session.output, stop, isHandover);
        if (result.taken_up) say('It had been started before, and is not run again');
        if (result.out_of_memory)
          throw new DeployError('out_of_memory', `${program} used more memory than the app may.`);
        return { exitCode: result.exit_code, lastLines: result.last_lines, durationMs: result.duration_ms };
      } finally {
        clearTimeout(timer);
      }
    };
  }
}

type Command = Job['command'];

/** The same call is the same job, whichever worker makes it, and in whatever order. */
function jobOf(session: HookSession, plugin: string, image: string, command: Command, env: Job['env']): Job {
  const { id, app_name, environment, project } = session.state.identity;
  const call = createHash('sha256')
    .update(JSON.stringify([plugin, session.phase, command, env]))
    .digest('hex');
  return {
    name: `${id}_${call.slice(0, 12)}`,
    app_name,
    environment,
    project,
    deployment_id: id,
    image,
    command,
    env: { ...session.env, ...env },
    secrets: session.secrets,
    resources: session.config.resources,
  };
}

/** @throws DeployError `invalid_field`; a timer of Node's that is too long would end at once */
function checkRun(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutSeconds: number,
): asserts command is Command {
  if (!command[0]) throw new DeployError('invalid_field', 'A command needs at least a program.');
  if (!(timeoutSeconds > 0 && timeoutSeconds <= LIMITS.hook_seconds))
    throw new DeployError('invalid_field', `timeoutSeconds must be more than 0 and at most ${LIMITS.hook_seconds}.`);
  const wrong = Object.keys(env).find((name) => !/^[^=\0]+$/.test(name) || env[name]?.includes('\0'));
  if (wrong !== undefined)
    throw new DeployError('invalid_field', `No environment variable can be ${JSON.stringify(wrong)}.`);
}

/** The job runs on where only the worker goes: the next one takes it up. */
function isHandover(reason: unknown): boolean {
  return reason === 'shutdown' || reason === 'lost';
}

function pluginImage({ reference, digest, size_bytes }: PluginImage): PluginImage {
  return { reference, digest, size_bytes };
}
