/** Deployments to the real Swarm: a web server to deploy, and the verdict over it. */
import type Docker from 'dockerode';
import type { DockerFixtures } from './docker-fixtures.js';
import { startDockerFixtures, until } from './docker-fixtures.js';
import { NO_EVIDENCE } from '../../src/adapters/docker/container-evidence.js';
import { SwarmCluster } from '../../src/adapters/docker/swarm-cluster.js';
import { judge, toDeployError, type Verdict } from '../../src/domain/convergence.js';
import type { DesiredService, TaskView } from '../../src/domain/ports.js';

export interface SwarmFixtures extends DockerFixtures {
  readonly cluster: SwarmCluster;
  named(name: string): string;
  /** A web server that answers with the number of its release. */
  desired(name: string, release?: number, fields?: Partial<DesiredService>): DesiredService;
  /** Judges until it is over; what has converged must still be so a moment later. */
  settled(service: DesiredService): Promise<Verdict>;
  /** Applies, and judges until it is over. */
  deploy(service: DesiredService): Promise<Verdict>;
  /** Applies, and judges until it fails, however long it runs before. */
  fails(service: DesiredService): Promise<Verdict>;
  /** What users are told of a failed verdict. */
  failure(verdict: Verdict): Promise<{ code: string; message: string; evidence: readonly string[] }>;
  runningTask(service: DesiredService): Promise<TaskView | undefined>;
  /** What the program prints inside the container. */
  run(containerId: string, ...command: string[]): Promise<string>;
  /** Swarm secrets of the service, whoever made them. */
  secretsOf(serviceName: string): Promise<unknown[]>;
}

/** So long a service must be found converged, in which a crash shows also on a busy machine. */
const STABLE_MS = 4_000;

export async function startSwarmFixtures(): Promise<SwarmFixtures> {
  const fixtures = await startDockerFixtures();
  const cluster = new SwarmCluster(fixtures.client, { installation: fixtures.prefix });
  const named = (name: string): string => `${fixtures.prefix}-${name}`;

  /** Judges from now on. */
  const judging = ({ name, replicas }: DesiredService): (() => Promise<Verdict>) => {
    const begin = Date.now();
    return async () => {
      const [service, tasks] = await Promise.all([cluster.findService(name), cluster.tasks(name)]);
      return judge({ service, tasks, replicas, since_ms: Date.now() - begin });
    };
  };
  const settled = (desired: DesiredService): Promise<Verdict> => {
    const look = judging(desired);
    let since = Infinity;
    return until(async () => {
      const verdict = await look();
      since = verdict.kind === 'converged' ? Math.min(since, Date.now()) : Infinity;
      if (verdict.kind === 'converged' && Date.now() - since < STABLE_MS) return undefined;
      return verdict.kind !== 'waiting' && verdict;
    }, `${desired.name} converges or fails`);
  };

  return {
    ...fixtures,
    cluster,
    named,
    settled,
    desired: (name, release = 1, fields = {}) => ({
      name: named(name),
      app_name: named(name),
      environment: 'production',
      project: fixtures.prefix,
      deployment_id: `dep-${release}`,
      release,
      image: fixtures.busybox,
      replicas: 1,
      env: { RELEASE: String(release) },
      command: ['sh', '-c', 'mkdir /www; echo "release $RELEASE" > /www/index.html; exec httpd -f -p 80 -h /www'],
      ports: [],
      volumes: [],
      resources: {},
      secrets: {},
      exposed: false,
      content: `content-${release}`,
      ...fields,
    }),
    deploy: async (service) => {
      await cluster.create(service);
      return settled(service);
    },
    fails: async (service) => {
      await cluster.create(service);
      const look = judging(service);
      return until(async () => {
        const verdict = await look();
        return verdict.kind === 'failed' && verdict;
      }, `${service.name} fails`);
    },
    failure: async (verdict) => {
      if (verdict.kind !== 'failed') throw new Error(`it did not fail: ${JSON.stringify(verdict)}`);
      const left = verdict.task ? await cluster.evidence(verdict.task) : NO_EVIDENCE;
      const { code, message, evidence = [] } = toDeployError(verdict, left);
      return { code, message, evidence };
    },
    runningTask: async ({ name }) => (await cluster.tasks(name)).find(({ state }) => state === 'running'),
    run: (containerId, ...command) => run(fixtures.docker, containerId, command),
    secretsOf: (service) => fixtures.docker.listSecrets({ filters: { label: [`flukedeploy.service=${service}`] } }),
  };
}

async function run(docker: Docker, containerId: string, command: string[]): Promise<string> {
  const exec = await docker.getContainer(containerId).exec({ Cmd: command, AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('error', reject).on('end', () => resolve(text.replaceAll('\r\n', '\n')));
  });
}
