/** The stand-in for FlukeBase in a process of its own, so that its work does not slow down who syncs with it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Fault } from './flukebase-faults.ts';

export type FlukeBaseCommand =
  | { readonly act: 'heal' | 'go_away' | 'come_back' | 'nothing' }
  /** Every request fails so from then on. */
  | { readonly fault: Fault }
  /** Asks for the entries that arrived from this moment on, in milliseconds since 1970. */
  | { readonly since: number };

export interface FlukeBaseNews {
  /** Requests that have come. */
  readonly asked: number;
  /** Entries that it holds. */
  readonly entries: number;
  /** In milliseconds since 1970; those that were asked for. */
  readonly arrivals: readonly { readonly written: number; readonly arrived: number }[];
}

export interface FlukeBasePlace {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
}

const PROGRAM = fileURLToPath(new URL('./flukebase.process.ts', import.meta.url));

export class FlukeBaseProcess {
  readonly place: FlukeBasePlace;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, place: FlukeBasePlace) {
    this.#process = child;
    this.place = place;
  }

  static async start(): Promise<FlukeBaseProcess> {
    const child = fork(PROGRAM, { serialization: 'advanced' });
    const [place] = (await once(child, 'message')) as [FlukeBasePlace];
    return new FlukeBaseProcess(child, place);
  }

  /** What a FlukeDeploy process needs to sync with it. */
  get environment(): Readonly<Record<string, string>> {
    const { url, token, caFile } = this.place;
    return { FLUKEBASE_API_URL: url, FLUKEBASE_API_TOKEN: token, FLUKEBASE_CA_FILE: caFile };
  }

  /** One at a time. */
  async tell(command: FlukeBaseCommand): Promise<FlukeBaseNews> {
    const answer = once(this.#process, 'message');
    this.#process.send(command);
    return ((await answer) as [FlukeBaseNews])[0];
  }

  async stop(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    await exit;
  }
}
