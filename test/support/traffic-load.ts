/** An open-loop load of requests and WebSockets, in a process of its own, that forgives nothing: the witness that no request fails. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  monotonic,
  trafficReport,
  versions,
  type Mark,
  type RequestKind,
  type Sample,
  type TrafficReport,
  type WebSocketClose,
} from './traffic-report.ts';
import { until } from './until.ts';

export interface TrafficLoadOptions {
  /** Where to connect to, such as `http://127.0.0.1:8080` or `https://127.0.0.1:8443`. */
  readonly url: string;
  /** The Host header and, over TLS, the name that is asked for. */
  readonly host: string;
  /** PEM of the authority that certificates must come from. */
  readonly ca?: string;
  /** False: any certificate will do. */
  readonly reject_unauthorized?: boolean;
  readonly requests_per_second?: number;
  /** How many of so many requests are of each kind; what is left out is not sent. */
  readonly mix?: Readonly<Partial<Record<RequestKind, number>>>;
  /** Connections that are kept open and used in turns. */
  readonly connections?: number;
  /** How long the slow answers take. */
  readonly slow_ms?: number;
  /** Slow answers may take so much longer than they are to. */
  readonly timeout_ms?: number;
  readonly websockets?: number;
  /** Of each WebSocket. */
  readonly messages_per_second?: number;
  /** Whether a WebSocket may be closed on it; then connecting anew must succeed at once (see TrafficWebSocket). */
  readonly websocket_reconnects?: 'allowed' | 'failure';
}

type Optional = 'ca';
/** The options with nothing left out, as the process gets them. */
export type LoadOrder = Required<Omit<TrafficLoadOptions, Optional>> & Pick<TrafficLoadOptions, Optional>;

/** What the process is told. */
export type LoadCommand = { readonly start: LoadOrder } | 'stop';
/** What it says, some times a second. */
export interface LoadNews {
  readonly samples: readonly Sample[];
  readonly closes: readonly WebSocketClose[];
  /** The last news: everything that was asked has been answered or has failed. */
  readonly ended: boolean;
}

const PROGRAM = fileURLToPath(new URL('./traffic-load.process.ts', import.meta.url));
const DEFAULTS = {
  reject_unauthorized: true,
  requests_per_second: 100,
  mix: { keep_alive: 60, fresh: 20, post: 16, slow: 2, stream: 2 },
  connections: 30,
  slow_ms: 1_500,
  timeout_ms: 5_000,
  websockets: 5,
  messages_per_second: 4,
  websocket_reconnects: 'failure',
} as const;
/** A quarter of an hour of the default load; a test that is never stopped must not fill the memory. */
const MOST_SAMPLES = 100_000;

export class TrafficLoad {
  readonly #process: ChildProcess;
  readonly #died: Promise<never>;
  readonly #samples: Sample[] = [];
  readonly #closes: WebSocketClose[] = [];
  readonly #marks: Mark[] = [{ name: 'start', at: monotonic() }];
  readonly #ended = Promise.withResolvers<undefined>();
  #death: Error | undefined;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', (news: LoadNews) => this.#take(news));
    this.#died = once(child, 'exit').then(() => {
      this.#death ??= new Error('the process of the load has ended');
      throw this.#death;
    });
    // Nobody may be waiting when it ends.
    this.#died.catch(() => undefined);
  }

  /**
   * Resolves once the first request has ended, well or badly.
   * @param inside what stands in front of the command of its process, such as a namespace
   */
  static async start(options: TrafficLoadOptions, inside: readonly string[] = []): Promise<TrafficLoad> {
    const [execPath, ...execArgv] = [...inside, process.execPath];
    const load = new TrafficLoad(fork(PROGRAM, { serialization: 'advanced', execPath, execArgv }));
    load.#tell({ start: { ...DEFAULTS, ...options } });
    await load.#see(() => load.#samples.length > 0, 'the first request ends', 30_000);
    load.#marks[0] = { name: 'start', at: Math.min(...load.#samples.map(({ begun }) => begun)) };
    return load;
  }

  /** From here on, what begins belongs to the phase of this name. */
  mark(name: string): void {
    this.#marks.push({ name, at: monotonic() });
  }

  /** Answers by version, of the requests that began at `since` (`monotonic()`) or later, by default since the last mark. */
  versionsSince(since = this.#marks.at(-1)!.at): Readonly<Record<string, number>> {
    return versions(this.#samples, since);
  }

  /** Everything up to now. */
  report(): TrafficReport {
    return trafficReport(this.#samples, this.#marks, this.#closes);
  }

  /**
   * Waits until one version, which passes the check, has given all answers of the last `last_ms`, without a gap. Answers since when:
   * the beginning (`monotonic()`) of the first request after the last one that was answered otherwise or not at all.
   */
  async until(
    check: (version: string) => boolean,
    { last_ms = 1_000, timeout_ms = 60_000 } = {},
  ): Promise<{ readonly version: string; readonly since: number }> {
    const look = (): string | undefined => {
      const since = monotonic() - last_ms;
      if (since < this.#marks[0]!.at) return undefined;
      const version = this.#onlyVersion(since);
      return version !== undefined && check(version) ? version : undefined;
    };
    const version = await this.#see(look, `one version alone answers for ${last_ms} ms`, timeout_ms);
    const requests = this.#samples.filter(({ traffic }) => traffic !== 'web_socket');
    const other = requests.reduce(
      (last, sample) => (sample.version === version ? last : Math.max(last, sample.begun)),
      0,
    );
    return { version, since: Math.min(...requests.map(({ begun }) => begun).filter((begun) => begun > other)) };
  }

  /** Whether anything has failed. @throws Error when its process has ended: it sees nothing any more */
  hasFailed(): boolean {
    if (this.#death) throw this.#death;
    return this.#samples.some(({ failure }) => failure !== undefined);
  }

  /** Sends no more, waits for what is on its way, and answers the report. */
  async stop(): Promise<TrafficReport> {
    this.#tell('stop');
    await Promise.race([this.#ended.promise, this.#died]);
    await this.#died.catch(() => undefined);
    return this.report();
  }

  /** For a test that has failed: ends it at once. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#died.catch(() => undefined);
  }

  #take({ samples, closes, ended }: LoadNews): void {
    this.#samples.push(...samples);
    this.#closes.push(...closes);
    if (this.#samples.length > MOST_SAMPLES) {
      this.#death = new Error(`a load of more than ${MOST_SAMPLES} requests: it was not stopped`);
      this.#process.kill('SIGKILL');
    }
    if (ended) this.#ended.resolve(undefined);
  }

  #tell(command: LoadCommand): void {
    if (this.#process.connected) this.#process.send(command);
  }

  /** Undefined also where a request got no answer, or none has begun and ended since then. */
  #onlyVersion(since: number): string | undefined {
    let version: string | undefined;
    // They come in the order of their ends, so none further back can have begun later.
    for (let index = this.#samples.length - 1; index >= 0; index--) {
      const sample = this.#samples[index]!;
      if (sample.begun + sample.ms < since) break;
      if (sample.traffic === 'web_socket' || sample.begun < since) continue;
      if (sample.version === undefined || (version !== undefined && sample.version !== version)) return undefined;
      version = sample.version;
    }
    return version;
  }

  #see<Found>(look: () => Found | undefined | false, what: string, timeoutMs: number): Promise<Found> {
    const checked = async (): Promise<Found | undefined | false> => {
      if (this.#death) throw this.#death;
      return look();
    };
    return until(checked, what, timeoutMs);
  }
}
