/** Visitors of an app at the edge, as fast as they get their answers: who meets which version. */
import { Agent, request } from 'node:http';

export interface Visit {
  readonly version: string;
  readonly status: number;
  /** `name=value` of the cookies that the answer sets. */
  readonly cookies: readonly string[];
}

export interface VisitOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Connections that are kept open and used at the same time. */
  readonly connections?: number;
}

export class Visitors {
  constructor(
    /** Where the edge listens on this machine. */
    private readonly port: number,
    private readonly host: string,
  ) {}

  /** So many requests; answers how many of them each version answered. A request that breaks is an error. */
  async count(requests: number, options: VisitOptions = {}): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    await this.#together(requests, options, ({ version, status }) => {
      const name = status === 200 ? version : `${version} ${status}`;
      counts[name] = (counts[name] ?? 0) + 1;
    });
    return counts;
  }

  /** One request for each of these, in order: what each of them is told. */
  async each(headers: readonly Readonly<Record<string, string>>[]): Promise<Visit[]> {
    const visits: Visit[] = [];
    await this.#together(headers.length, {}, (visit, index) => (visits[index] = visit), headers);
    return visits;
  }

  async #together(
    requests: number,
    { headers = {}, connections = 20 }: VisitOptions,
    take: (visit: Visit, index: number) => void,
    own: readonly Readonly<Record<string, string>>[] = [],
  ): Promise<void> {
    // Connections of their own: an edge that changes its configuration ends those of before.
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < requests; index = next++) {
        take(await this.#ask(agent, { ...headers, ...own[index] }), index);
      }
    };
    try {
      await Promise.all(Array.from({ length: connections }, worker));
    } finally {
      agent.destroy();
    }
  }

  #ask(agent: Agent, headers: Readonly<Record<string, string>>): Promise<Visit> {
    const { promise, resolve, reject } = Promise.withResolvers<Visit>();
    request({ host: '127.0.0.1', port: this.port, agent, headers: { host: this.host, ...headers } }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () => {
        const version = response.headers['x-version'];
        resolve({
          version: typeof version === 'string' ? version : 'none',
          status: response.statusCode ?? 0,
          cookies: (response.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? ''),
        });
      });
    })
      .on('error', reject)
      .end();
    return promise;
  }
}
