/** A real Swarm of three managers on this machine: an Engine in each of three network namespaces, joined by a bridge in a fourth. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { claimed, run, type ClaimedNames } from './node-machinery.js';
import { until } from './until.js';

const COUNT = 3;
/** Nothing outside of the namespaces has it, so several runs do not meet. */
const SUBNET = '10.99.0';
const REGISTRY_PORT = 5_000;
const START_TIMEOUT_MS = 60_000;

export interface SwarmMachine {
  readonly number: number;
  readonly hostname: string;
  /** In the network that the machines share. */
  readonly address: string;
  /** `DOCKER_HOST`. */
  readonly host: string;
  readonly docker: Docker;
  /** What stands in front of a command so that it runs on this machine. */
  readonly inside: readonly string[];
}

export class ThreeNodes {
  /** Where the machines find a registry that listens inside `switchboard`; they talk to it without TLS. */
  readonly registryHost = `${SUBNET}.254:${REGISTRY_PORT}`;

  private constructor(
    private readonly names: ClaimedNames,
    readonly machines: readonly SwarmMachine[],
  ) {}

  static async start(): Promise<ThreeNodes> {
    const names = await claimed();
    try {
      await connect(names);
      const machines = await Promise.all(numbers().map((number) => machine(names, number)));
      await formSwarm(machines);
      return new ThreeNodes(names, machines);
    } catch (error) {
      await names.release();
      throw error;
    }
  }

  /** The one whose Engine is spoken to. */
  get first(): SwarmMachine {
    return this.machines[0]!;
  }

  /** What stands in front of a command so that all machines reach it at the registry's address. */
  get switchboard(): readonly string[] {
    return this.names.inside('switch');
  }

  /** Pulls the machine's network cable; everything on it runs on. */
  async cut({ number }: SwarmMachine): Promise<void> {
    await this.#link(number, 'down');
  }

  async rejoin({ number }: SwarmMachine): Promise<void> {
    await this.#link(number, 'up');
  }

  /** Brings an image of this machine's own Engine to the node. */
  async load({ host }: SwarmMachine, image: string): Promise<void> {
    const file = join(this.names.folder, `${image.replaceAll(/\W/g, '-')}.tar`);
    await run('docker', 'save', '--output', file, image);
    await run('docker', '--host', host, 'load', '--input', file);
    await rm(file);
  }

  /** Ends and removes everything, whatever state it is in. */
  async remove(): Promise<void> {
    await this.names.release();
  }

  #link(number: number, state: 'up' | 'down'): Promise<string> {
    return run('ip', '-n', this.names.namespace('switch'), 'link', 'set', `port${number}`, state);
  }
}

const numbers = (): number[] => Array.from({ length: COUNT }, (_, index) => index + 1);

/** The bridge has a namespace of its own: on this machine itself Docker's firewall rules would drop what crosses it. */
async function connect(names: ClaimedNames): Promise<void> {
  const bridge = names.namespace('switch');
  await names.addNamespace('switch');
  await run('ip', '-n', bridge, 'link', 'add', 'bridge0', 'type', 'bridge');
  await run('ip', '-n', bridge, 'address', 'add', `${SUBNET}.254/24`, 'dev', 'bridge0');
  await run('ip', '-n', bridge, 'link', 'set', 'bridge0', 'up');
  for (const number of numbers()) {
    const node = names.namespace(`node${number}`);
    const port = `port${number}`;
    await names.addNamespace(`node${number}`);
    await run('ip', 'link', 'add', port, 'netns', bridge, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', node);
    await run('ip', '-n', bridge, 'link', 'set', port, 'master', 'bridge0', 'up');
    await run('ip', '-n', node, 'address', 'add', `${SUBNET}.${number}/24`, 'dev', 'eth0');
    await run('ip', '-n', node, 'link', 'set', 'eth0', 'up');
  }
}

async function machine(names: ClaimedNames, number: number): Promise<SwarmMachine> {
  const namespace = `node${number}`;
  const folder = join(names.folder, namespace);
  await mkdir(folder);
  const hostname = `node-${number}`;
  const uts = await names.hostname(namespace, hostname);
  const config = join(folder, 'daemon.json');
  const host = `unix://${join(folder, 'docker.sock')}`;
  await writeFile(
    config,
    JSON.stringify({
      hosts: [host],
      'data-root': join(folder, 'data'),
      'exec-root': join(folder, 'exec'),
      pidfile: join(folder, 'docker.pid'),
      'insecure-registries': [`${SUBNET}.0/24`],
      'shutdown-timeout': 2,
      'log-level': 'warn',
    }),
  );
  const inside = names.inside(namespace);
  names.spawn(
    join(folder, 'dockerd.log'),
    'nsenter',
    `--uts=${uts}`,
    '--',
    ...inside,
    'dockerd',
    '--config-file',
    config,
  );
  const client = new DockerClient(host);
  const docker = await until(
    () => client.streams().catch(() => undefined),
    `${hostname} has an Engine`,
    START_TIMEOUT_MS,
  );
  return { number, hostname, address: `${SUBNET}.${number}`, host, docker, inside };
}

/** All are managers: whichever one is lost, the others still decide. */
async function formSwarm(machines: readonly SwarmMachine[]): Promise<void> {
  const [first, ...others] = machines;
  if (first === undefined) return;
  const place = ({ address }: SwarmMachine) => ({ AdvertiseAddr: address, ListenAddr: `${address}:2377` });
  await first.docker.swarmInit(place(first));
  const { JoinTokens } = (await first.docker.swarmInspect()) as { JoinTokens: { Manager: string } };
  // One after the other: a new manager changes who must agree.
  for (const other of others) {
    const RemoteAddrs = [`${first.address}:2377`];
    await other.docker.swarmJoin({ ...place(other), RemoteAddrs, JoinToken: JoinTokens.Manager });
  }
  const isReady = ({ Status }: { Status?: { State?: string } }): boolean => Status?.State === 'ready';
  const ready = async () =>
    ((await first.docker.listNodes()) as { Status?: { State?: string } }[]).filter(isReady).length;
  await until(async () => (await ready()) === machines.length, 'all nodes are ready', START_TIMEOUT_MS);
}
