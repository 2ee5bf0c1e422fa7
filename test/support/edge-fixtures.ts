/** A real edge of its own in Swarm, and small apps behind it. */
import { randomBytes } from 'node:crypto';
import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { SwarmTask } from '../../src/adapters/docker/docker-types.js';
import { NginxEdge, type NginxEdgeOptions } from '../../src/adapters/nginx/nginx-edge.js';
import type { EdgeState } from '../../src/domain/edge-ports.js';
import type { Backend, Traffic } from '../../src/domain/traffic.js';
import { type DockerFixtures, startDockerFixtures, until } from './docker-fixtures.js';
import { freePort } from './test-registry.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions {
  readonly headers?: OutgoingHttpHeaders;
  readonly method?: string;
  readonly body?: string;
  readonly agent?: Agent;
}

export interface EdgeFixtures extends DockerFixtures {
  readonly edge: NginxEdge;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly service: string;
  readonly network: string;
  /** Starts an app that tells what it was asked; answers once its replicas serve. */
  app(name: string, replicas?: number): Promise<Backend>;
  /** The addresses of its running tasks on the edge's network. */
  addresses(backend: Backend): Promise<string[]>;
  traffic(name: string, stable: readonly Backend[], fields?: Partial<Traffic>): Traffic;
  state(...traffic: readonly Traffic[]): EdgeState;
  /** Over plain HTTP, on a connection of its own unless an agent is given. */
  ask(host: string, path?: string, options?: AskOptions): Promise<Answer>;
  /** Another process' edge of the same names. */
  another(fields?: Partial<NginxEdgeOptions>): NginxEdge;
  edgeContainerId(): Promise<string>;
}

/**
 * Answers what it got as JSON. `/status/<code>` answers that; `/hang` never answers; `/wait/<ms>` takes its time; an upgrade to
 * WebSocket is accepted, and every byte comes back.
 */
const APP = `
const { createServer } = require('node:http');
const version = process.env.VERSION;
const server = createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk) => (bytes += chunk.length)).on('end', () => {
    const [, what, value] = request.url.split('/');
    if (what === 'hang') return;
    if (what === 'status') response.writeHead(Number(value), { location: '/elsewhere' });
    const tell = () => response.end(JSON.stringify({ version, method: request.method, url: request.url, headers: request.headers, bytes }));
    if (what === 'wait') setTimeout(tell, Number(value)); else tell();
  });
});
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nX-Version: ' + version + '\\r\\n\\r\\n');
  socket.on('error', () => undefined).pipe(socket);
});
server.listen(3000);
process.on('SIGTERM', () => process.exit());
`;

export async function startEdgeFixtures(): Promise<EdgeFixtures> {
  const fixtures = await startDockerFixtures();
  const { docker, client, prefix } = fixtures;
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const [service, network] = [`${prefix}-edge`, `flukedeploy-${prefix}-edge`];
  const secret = randomBytes(16).toString('hex');
  const names = { installation: prefix, tunnelSecret: secret, service, network };
  const another = (fields: Partial<NginxEdgeOptions> = {}): NginxEdge =>
    new NginxEdge(client, { httpPort, httpsPort, ...names, drainSeconds: 20, ...fields });
  const edge = another();

  const tasks = async (name: string): Promise<SwarmTask[]> => {
    const filters = { service: [name], 'desired-state': ['running'] };
    const all = (await docker.listTasks({ filters })) as SwarmTask[];
    return all.filter(({ Status }) => Status.State === 'running');
  };
  const addresses = async (backend: Backend): Promise<string[]> =>
    (await tasks(backend.service)).flatMap(({ NetworksAttachments = [] }) =>
      NetworksAttachments.flatMap(({ Addresses = [] }) => Addresses.map((address) => address.split('/')[0]!)),
    );

  const app = async (name: string, replicas = 1): Promise<Backend> => {
    const backend = { service: `${prefix}-${name}`, deployment_id: `dep-${name}`, release: 1, port: 3000 };
    const { Id } = await docker.getImage('node:24').inspect();
    await docker.createService(
      {},
      {
        Name: backend.service,
        TaskTemplate: {
          ContainerSpec: { Image: Id, Command: ['node', '-e', APP], Env: [`VERSION=${name}`] },
          Networks: [{ Target: network }],
        },
        Mode: { Replicated: { Replicas: replicas } },
        EndpointSpec: { Mode: 'dnsrr' },
      },
    );
    const never = new AbortController().signal;
    await until(async () => {
      const found = await addresses(backend);
      if (found.length !== replicas) return undefined;
      const results = await Promise.all(
        found.map((address) => edge.probes.http(`http://${address}:3000/`, 2_000, never)),
      );
      return results.every(({ healthy }) => healthy);
    }, `${name} serves`);
    return backend;
  };

  const traffic = (name: string, stable: readonly Backend[], fields: Partial<Traffic> = {}): Traffic => ({
    app_name: name,
    environment: 'production',
    project: prefix,
    hosts: [`${name}.test`],
    force_https: false,
    stable,
    ...fields,
  });

  return {
    ...fixtures,
    edge,
    httpPort,
    httpsPort,
    service,
    network,
    app,
    addresses,
    traffic,
    state: (...all) => ({ traffic: all, certificates: [], challenges: [] }),
    ask: (host, path = '/', options = {}) => ask(httpPort, host, path, options),
    another,
    edgeContainerId: async () => (await tasks(service))[0]?.Status.ContainerStatus?.ContainerID ?? '',
  };
}

function ask(port: number, host: string, path: string, options: AskOptions): Promise<Answer> {
  const { headers, method = 'GET', body, agent } = options;
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port, path, method, agent: agent ?? false, headers: { host, ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
        response.on('error', reject);
      },
    );
    asking.on('error', reject).end(body);
  });
}

/** What the app said of the request. */
export const told = (
  answer: Answer,
): { version: string; url: string; headers: Record<string, string>; bytes: number } =>
  JSON.parse(answer.body) as { version: string; url: string; headers: Record<string, string>; bytes: number };
