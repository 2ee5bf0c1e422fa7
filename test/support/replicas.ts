/** Replicas of a version as real servers: one port, and an address of this machine for each of them. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { NoEdge } from '../../src/adapters/network/no-edge.js';
import type { PostDeployContext } from '../../src/domain/plugin.js';
import type { TaskView } from '../../src/domain/ports.js';
import { VersionClient, type Version } from '../../src/modules/deployments/version-client.js';

type Seen = Pick<PostDeployContext, 'service' | 'fetch' | 'connect' | 'signal'>;

export interface Replicas {
  readonly port: number;
  readonly tasks: TaskView[];
  /** What was looked up in the cluster so far. */
  lookups(): number;
  client(version?: Partial<Version>, signal?: AbortSignal): VersionClient;
  /** What a post_deploy hook sees of them. */
  seen(): Promise<Seen>;
  /** The same of a hook that is stopped as soon as it has an answer. */
  seenOnce(): Promise<Seen>;
  stop(slot: number): Promise<void>;
  clean(): Promise<void>;
}

export async function startReplicas(...listeners: readonly RequestListener[]): Promise<Replicas> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let port = 0;
  for (const [index, listener] of listeners.entries()) {
    const server = createServer(listener).on('connection', (socket: Socket) => sockets.add(socket));
    await once(server.listen(port, addressOf(index + 1)), 'listening');
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  const tasks = servers.map((_, index) => taskOf(index + 1));
  let lookups = 0;
  const cluster = {
    tasks: async () => ((lookups += 1), tasks),
    address: async ({ slot, node }: TaskView) => (node === 'far' ? undefined : addressOf(slot)),
  };
  const stop = async (slot: number) => {
    const server = servers[slot - 1]!;
    if (!server.listening) return;
    server.close();
    sockets.forEach((socket) => socket.destroy());
    await once(server, 'close');
  };
  const client = (version: Partial<Version> = {}, signal = new AbortController().signal) =>
    new VersionClient({ service: 'web_r2', port, hosts: [], ...version }, { cluster, edge: new NoEdge() }, signal);
  const seen = async (signal = new AbortController().signal): Promise<Seen> => {
    const asked = client({}, signal);
    return { service: await asked.service(), fetch: asked.fetch, connect: asked.connect, signal };
  };
  return {
    port,
    tasks,
    lookups: () => lookups,
    client,
    seen,
    seenOnce: async () => {
      const stopping = new AbortController();
      const { fetch, ...others } = await seen(stopping.signal);
      return { ...others, fetch: (path, options) => fetch(path, options).finally(() => stopping.abort()) };
    },
    stop,
    clean: async () => {
      await Promise.all(servers.map((_, index) => stop(index + 1)));
    },
  };
}

const addressOf = (slot: number): string => `127.0.0.${slot}`;

function taskOf(slot: number): TaskView {
  const state = { state: 'running', desired_state: 'running', error: '', message: '' };
  return { id: `task-${slot}`, slot, node: 'near', deployment_id: 'dep', ...state };
}
