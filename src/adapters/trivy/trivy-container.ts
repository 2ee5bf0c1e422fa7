/** Trivy in a container of its own, where this machine has no such program: with the Engine's socket, and a volume for its cache. */
import type Docker from 'dockerode';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import type { Images } from '../../domain/ports.js';
import type { DockerClient } from '../docker/docker-client.js';
import { dockerFailure, statusOf } from '../docker/docker-failure.js';
import { LABEL } from '../docker/service-spec.js';
import { TRIVY_ENVIRONMENT, type TrivyCommand } from './trivy-command.js';
import { TrivyOutput, type TrivyOutcome } from './trivy-output.js';
import type { TrivyRunner } from './trivy-runner.js';

const IMAGE = 'aquasec/trivy:0.74.0';
const CACHE_VOLUME = 'flukedeploy-trivy';
const PULL_TIMEOUT_MS = 180_000;

/** Where the image cannot be had, there is no scanner; that is no fault. */
const NOT_TO_BE_HAD: readonly ErrorCode[] = ['image_not_found', 'registry_unreachable', 'registry_denied'];

export interface TrivyContainerOptions {
  /** Path of the Engine's socket on its own machine. */
  readonly socket?: string | undefined;
  readonly image?: string;
  readonly volume?: string;
}

export class TrivyContainer implements TrivyRunner {
  readonly cacheFolder = '/cache';
  readonly #image: string;
  readonly #binds: string[];

  constructor(
    private readonly client: DockerClient,
    private readonly images: Pick<Images, 'inspect' | 'resolve'>,
    { socket = '/var/run/docker.sock', image = IMAGE, volume = CACHE_VOLUME }: TrivyContainerOptions = {},
  ) {
    this.#image = image;
    this.#binds = [`${socket}:/var/run/docker.sock:ro`, `${volume}:${this.cacheFolder}`];
  }

  async available(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#isPresent(signal)) ? this.#image : undefined;
  }

  async run(command: TrivyCommand, signal: AbortSignal): Promise<TrivyOutcome> {
    signal.throwIfAborted();
    try {
      const docker = await this.client.streams();
      const container = await docker.createContainer({
        Image: this.#image,
        // The image's entrypoint may be another one tomorrow.
        Entrypoint: ['trivy'],
        Cmd: [...command.arguments],
        WorkingDir: this.cacheFolder,
        Env: Object.entries(TRIVY_ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
        Labels: { [LABEL.managed]: 'true' },
        // Should this process die, the container still goes when it has ended.
        HostConfig: { AutoRemove: true, Binds: this.#binds, LogConfig: { Type: 'none', Config: {} } },
      });
      return await removedAfterwards(container, () => follow(docker, container, command, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw dockerFailure(error, `scanning with ${this.#image}`);
    }
  }

  async #isPresent(signal: AbortSignal): Promise<boolean> {
    if (await this.images.inspect(this.#image)) return true;
    const timeout = AbortSignal.timeout(PULL_TIMEOUT_MS);
    try {
      await this.images.resolve(this.#image, () => undefined, AbortSignal.any([signal, timeout]));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted || (error instanceof DeployError && NOT_TO_BE_HAD.includes(error.code))) return false;
      throw error;
    }
  }
}

async function follow(
  docker: Docker,
  container: Docker.Container,
  command: TrivyCommand,
  signal: AbortSignal,
): Promise<TrivyOutcome> {
  // Where it cannot be killed it has ended, or will not begin.
  const stop = (): void => void container.kill().catch(() => undefined);
  const output = new TrivyOutput(command.outputBytes, stop);
  // Before it starts, so that nothing of its output is missed.
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  docker.modem.demuxStream(stream, output.stdout, output.stderr);
  const ended = new Promise<void>((resolve) => stream.once('end', resolve).once('close', resolve));
  // A container that has not begun is not running either: it is the end after the start that is waited for.
  const waiting = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
  // Where the start fails, that is the error.
  waiting.catch(() => undefined);
  await container.start();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    const { StatusCode } = await waiting;
    await ended;
    signal.throwIfAborted();
    return output.outcome(StatusCode);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function removedAfterwards<T>(container: Docker.Container, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await container.remove({ force: true }).catch((error: unknown) => {
      // Gone, or going.
      if (![404, 409].includes(statusOf(error) ?? 0)) throw error;
    });
  }
}
