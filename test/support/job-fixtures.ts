/** Jobs on the real Swarm: one to run, a worker's call for it, and a counter of how often it really ran. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Docker from 'dockerode';
import { until } from './docker-fixtures.js';
import { startSwarmFixtures, type SwarmFixtures } from './swarm-fixtures.js';
import { SwarmJobs } from '../../src/adapters/docker/swarm-jobs.js';
import type { Job, Jobs, JobResult } from '../../src/domain/ports.js';

export interface JobFixtures {
  readonly swarm: SwarmFixtures;
  readonly jobs: SwarmJobs;
  /** A job of a deployment of its own that runs the script. */
  job(name: string, script: string, fields?: Partial<Job>): Job;
  call(job: Job, by?: Jobs): JobCall;
  /** Containers that Docker has of the job, ended ones included. */
  containersOf(job: Job): Promise<number>;
}

export async function startJobFixtures(): Promise<JobFixtures> {
  const swarm = await startSwarmFixtures();
  const jobs = new SwarmJobs(swarm.client, swarm.cluster, { installation: swarm.prefix });
  return {
    swarm,
    jobs,
    job: (name, script, fields = {}) => ({
      name: swarm.named(name),
      app_name: swarm.named('app'),
      environment: 'production',
      project: swarm.prefix,
      deployment_id: `dep-${name}`,
      image: swarm.busybox,
      command: ['sh', '-c', script],
      env: {},
      secrets: {},
      resources: {},
      ...fields,
    }),
    call: (job, by = jobs) => new JobCall(job, by),
    containersOf: async ({ name }) => {
      const filters = { label: [`com.docker.swarm.service.name=${name}`] };
      return (await swarm.docker.listContainers({ all: true, filters })).length;
    },
  };
}

/** One call for a job, as one worker makes it. */
export class JobCall {
  readonly lines: string[] = [];
  readonly result: Promise<JobResult>;
  readonly #abort = new AbortController();

  constructor(job: Job, jobs: Jobs) {
    const take = (line: string): unknown => this.lines.push(line);
    this.result = jobs.run(job, take, this.#abort.signal, (reason) => reason === 'shutdown');
    // Whoever waits for the result is told of a failure.
    this.result.catch(() => undefined);
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  async prints(line: string): Promise<void> {
    await until(async () => this.lines.includes(line), `the job prints ${line}`);
  }
}

/** A server that jobs reach from their container: it counts how often each of them has called. */
export class RunCounter {
  readonly #calls: string[] = [];
  readonly #server = createServer((request, response) => {
    this.#calls.push(request.url ?? '');
    response.end('counted\n');
  });
  #address = '';

  async listen(docker: Docker): Promise<void> {
    await once(this.#server.listen(0), 'listening');
    const bridge = await docker.getNetwork('docker_gwbridge').inspect();
    this.#address = `${bridge.IPAM?.Config?.[0]?.Gateway}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a script says to be counted. */
  call(name: string): string {
    return `wget -qO- http://${this.#address}/${name}`;
  }

  of(name: string): number {
    return this.#calls.filter((url) => url === `/${name}`).length;
  }

  close(): void {
    this.#server.close();
  }
}
