/** What a post_deploy hook asks the new version, and only it: its replicas one by one, from where the edge stands. */
import { isServing } from '../../domain/convergence.js';
import { DeployError } from '../../domain/errors.js';
import type { FetchOptions, FetchResult, PluginService, PostDeployContext } from '../../domain/plugin.js';
import type { Cluster, Edge, TaskView } from '../../domain/ports.js';

const DEFAULT_TIMEOUT_MS = 10_000;
/** A request that may have been carried out is sent to another replica only where that changes nothing (RFC 9110 §9.2.2). */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

export interface Version {
  /** Name of its Swarm service. */
  readonly service: string;
  /** The container's HTTP port; 0 = it serves none. */
  readonly port: number;
  /** Host names of the app; requests are for the first one unless they say otherwise. */
  readonly hosts: readonly string[];
  /** Where the app answers from outside. */
  readonly url?: string;
}

interface Replica {
  readonly task: TaskView;
  readonly address: string | undefined;
}

export class VersionClient implements Pick<PostDeployContext, 'fetch' | 'connect'> {
  /** Where the replicas were when they were last looked up: again only after one of them did not answer. */
  #replicas: Promise<readonly Replica[]> | undefined;

  constructor(
    private readonly version: Version,
    private readonly ports: { readonly cluster: Pick<Cluster, 'tasks' | 'address'>; readonly edge: Edge },
    private readonly signal: AbortSignal,
  ) {}

  /** The new version as hooks see it. */
  async service(): Promise<PluginService> {
    const { service: name, url } = this.version;
    const replicas = await this.#find();
    return {
      name,
      ...(url !== undefined && { url }),
      tasks: replicas.map(({ task: { slot, node }, address }) => ({ slot, node, ...(address && { address }) })),
    };
  }

  /** @throws DeployError `service_unreachable`, `edge_unavailable`, `invalid_field` */
  fetch = async (path: string, options: FetchOptions = {}): Promise<FetchResult> => {
    const { port } = this.version;
    const { method = 'GET', body, slot, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!/^\/[^\s\p{Cc}]*$/u.test(path)) {
      throw new DeployError(
        'invalid_field',
        `A path begins with / and holds no spaces, unlike ${JSON.stringify(path)}.`,
      );
    }
    if (port === 0) throw new DeployError('service_unreachable', 'The app has no HTTP port to be asked at.');
    const asked = {
      method,
      headers: this.#headers(options),
      ...(body !== undefined && { body }),
      timeout_ms: timeoutMs,
    };
    return this.#first(slot, IDEMPOTENT.includes(method), async (address) => {
      const answer = await this.ports.edge.probes.fetch(`http://${address}:${port}${path}`, asked, this.signal);
      const { status, headers, body, duration_ms: durationMs } = answer;
      return { status, headers, body, durationMs };
    });
  };

  /** @throws DeployError `edge_unavailable` */
  connect: PostDeployContext['connect'] = async (port, timeoutMs = DEFAULT_TIMEOUT_MS, slot) => {
    const began = performance.now();
    try {
      return await this.#first(slot, true, async (address) => {
        const result = await this.ports.edge.probes.tcp(address, port, timeoutMs, this.signal);
        if (!result.healthy) throw new DeployError('service_unreachable', result.reason);
        return { accepted: true, durationMs: result.duration_ms };
      });
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      return { accepted: false, durationMs: Math.round(performance.now() - began), reason: error.message };
    }
  };

  /** What the replica of that slot answers, else the first that answers at all. */
  async #first<Answer>(
    slot: number | undefined,
    repeatable: boolean,
    ask: (address: string) => Promise<Answer>,
  ): Promise<Answer> {
    const found = await this.#find();
    const asked = slot === undefined ? found : found.filter(({ task }) => task.slot === slot);
    const missing = slot === undefined ? 'No replica of the version runs.' : `There is no replica ${slot} that runs.`;
    let silent = new DeployError('service_unreachable', missing);
    for (const { task, address } of asked) {
      try {
        if (address !== undefined) return await ask(address);
        silent = new DeployError('service_unreachable', `Node ${task.node} is out of reach from here.`);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        silent = error;
        this.#replicas = undefined;
        if (!repeatable) break;
      }
    }
    if (asked.length === 0) this.#replicas = undefined;
    throw silent;
  }

  #find(): Promise<readonly Replica[]> {
    const finding = (this.#replicas ??= this.#look());
    finding.catch(() => (this.#replicas = undefined));
    return finding;
  }

  async #look(): Promise<readonly Replica[]> {
    const { cluster, edge } = this.ports;
    const serving = (await cluster.tasks(this.version.service)).filter(isServing).sort((a, b) => a.slot - b.slot);
    return Promise.all(
      serving.map(async (task) => ({ task, address: edge.enabled ? task.address : await cluster.address(task) })),
    );
  }

  #headers({ headers = {} }: FetchOptions): Record<string, string> {
    const [host] = this.version.hosts;
    const asked = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    return { ...(host !== undefined && { host }), ...Object.fromEntries(asked) };
  }
}

function isUnreachable(error: unknown): error is DeployError {
  return error instanceof DeployError && error.code === 'service_unreachable';
}
