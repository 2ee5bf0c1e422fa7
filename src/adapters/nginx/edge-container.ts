/** The container that the edge runs in now: finding it, running programs in it, giving it files. */
import type Docker from 'dockerode';
import { get } from 'node:http';
import { DeployError } from '../../domain/errors.js';
import type { DockerClient } from '../docker/docker-client.js';
import { dockerFailure } from '../docker/docker-failure.js';
import type { SwarmTask } from '../docker/docker-types.js';
import { throughElections } from '../docker/leader.js';
import { frames } from '../docker/multiplexed.js';
import { unlessGone } from '../docker/swarm-services.js';
import { taskAddress } from '../docker/task-address.js';
import { archiveOf, type EdgeFile } from './edge-archive.js';
import { CONTROL_PORT, EDGE_FOLDER } from './edge-paths.js';

const CONTROL_TIMEOUT_MS = 2_000;
const REVISION_BYTES = 64;

export interface ProgramResult {
  readonly ok: boolean;
  /** Both outputs, in the order in which they came. */
  readonly output: string;
}

export class EdgeContainer {
  constructor(
    private readonly client: DockerClient,
    private readonly service: string,
  ) {}

  /** @throws DeployError `edge_unavailable` where none runs */
  async find(): Promise<Docker.Container> {
    return this.call('looking for its container', async (docker) => {
      const { Status } = await this.runningTask(docker);
      return docker.getContainer(Status.ContainerStatus?.ContainerID ?? '');
    });
  }

  /** Where this process reaches it. @throws DeployError `edge_unavailable` */
  async address(): Promise<string> {
    return this.call('looking for its address', async (docker) => {
      const address = await taskAddress(docker, await this.runningTask(docker), this.client.local);
      if (address === undefined) {
        throw new DeployError('edge_unavailable', 'The edge runs where this process cannot reach it.');
      }
      return address;
    });
  }

  /** Which configuration serves new connections; `undefined` where nothing answers. */
  async servedRevision(): Promise<string | undefined> {
    try {
      return await askRevision(await this.address());
    } catch {
      return undefined;
    }
  }

  async run(...argv: readonly string[]): Promise<ProgramResult> {
    return this.call(`running ${argv[0] ?? ''} in it`, async () => {
      const container = await this.find();
      const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true });
      const parts: Buffer[] = [];
      for await (const { bytes } of frames((await exec.start({})) as AsyncIterable<Buffer>)) parts.push(bytes);
      const { ExitCode } = await exec.inspect();
      return { ok: ExitCode === 0, output: Buffer.concat(parts).toString() };
    });
  }

  /** @throws DeployError `edge_unavailable` with the program's words when it fails */
  async must(...argv: readonly string[]): Promise<string> {
    const { ok, output } = await this.run(...argv);
    if (!ok) throw new DeployError('edge_unavailable', `${argv[0] ?? ''} failed in the edge: ${output.trim()}`);
    return output;
  }

  /** Puts the files into the edge's folder. What is in them is never told. */
  async put(files: readonly EdgeFile[]): Promise<void> {
    await this.call('giving it files', async () => {
      const container = await this.find();
      await container.putArchive(archiveOf(files), { path: EDGE_FOLDER });
    });
  }

  /** Lets nginx take its configuration anew. */
  async reload(): Promise<void> {
    await this.call('telling it to reload', async () => {
      const container = await this.find();
      await container.kill({ signal: 'HUP' });
    });
  }

  /** Why Swarm does not run it, in Swarm's words. */
  async complaint(): Promise<string | undefined> {
    return this.call('looking for what keeps it from running', async (docker) => {
      const tasks = await this.tasks(docker, {});
      const [latest] = tasks.sort((one, other) => (one.CreatedAt < other.CreatedAt ? 1 : -1));
      const told = tasks.find(({ Status }) => Status.Err)?.Status.Err;
      return latest?.Status.Err ?? told ?? latest?.Status.Message;
    });
  }

  private async runningTask(docker: Docker): Promise<SwarmTask> {
    const tasks = await this.tasks(docker, { 'desired-state': ['running'] });
    const running = tasks.find(({ Status }) => Status.State === 'running' && Status.ContainerStatus?.ContainerID);
    if (running === undefined) throw new DeployError('edge_unavailable');
    return running;
  }

  private async tasks(docker: Docker, filters: Record<string, string[]>): Promise<SwarmTask[]> {
    const asked = { filters: { ...filters, service: [this.service] } };
    return unlessGone(() => docker.listTasks(asked) as Promise<SwarmTask[]>, []);
  }

  private async call<T>(during: string, work: (docker: Docker) => Promise<T>): Promise<T> {
    try {
      const docker = await this.client.calls();
      return await throughElections(() => work(docker));
    } catch (error) {
      throw edgeFailure(error, during);
    }
  }
}

/** What is not ours to tell already is told as the edge being away. */
export function edgeFailure(error: unknown, during: string): Error {
  if (error instanceof DeployError) return error;
  const { message } = dockerFailure(error, during);
  return new DeployError('edge_unavailable', `The edge cannot be worked on (${during}): ${message}`, { cause: error });
}

/** On a connection of its own: a kept one would be answered by the workers that are leaving. */
function askRevision(address: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const url = `http://${address}:${CONTROL_PORT}/revision`;
    get(url, { agent: false, signal: AbortSignal.timeout(CONTROL_TIMEOUT_MS) }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(0, REVISION_BYTES)));
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
      response.on('error', reject);
    }).on('error', reject);
  });
}
