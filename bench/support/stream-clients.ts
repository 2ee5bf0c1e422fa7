/** Many WebSocket clients in a process of their own, so that receiving does not slow down what is measured. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./stream-clients.process.ts', import.meta.url));

/** What the process is told; it answers each order with one report. */
export type Order =
  | { readonly connect: { readonly url: string; readonly clients: number } }
  /** Counts from zero until every client has got so many entries. */
  | { readonly receive: { readonly entries: number; readonly keepTimes: boolean } };

export interface Report {
  /** When the last of the entries was received, in `now()`. */
  readonly done: number;
  /** With `keepTimes`: when client c received entry e, at e × clients + c. */
  readonly times: Float64Array;
}

export class StreamClients {
  readonly #process: ChildProcess;
  readonly #ended: Promise<never>;
  readonly count: number;

  private constructor(process: ChildProcess, count: number) {
    this.#process = process;
    this.#ended = once(process, 'exit').then(() => {
      throw new Error('the process of the clients has ended');
    });
    // Nobody may be waiting when it ends.
    this.#ended.catch(() => undefined);
    this.count = count;
  }

  /** Resolves when all are connected and have had their first message, which is the answer to the subscription. */
  static async connect(scope: AsyncDisposableStack, url: string, count: number): Promise<StreamClients> {
    const child = fork(PROGRAM, { serialization: 'advanced' });
    scope.defer(async () => {
      const exit = once(child, 'exit');
      if (child.kill('SIGKILL')) await exit;
    });
    const clients = new StreamClients(child, count);
    await clients.#order({ connect: { url, clients: count } });
    return clients;
  }

  /** Begins to count at once; resolves when every client has got `entries` more. */
  receive(entries: number, keepTimes = false): Promise<Report> {
    return this.#order({ receive: { entries, keepTimes } });
  }

  async #order(order: Order): Promise<Report> {
    const report = once(this.#process, 'message').then(([answer]) => answer as Report);
    this.#process.send(order);
    return Promise.race([report, this.#ended]);
  }
}
