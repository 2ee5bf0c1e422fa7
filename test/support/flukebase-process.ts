/** The stand-in for FlukeBase in a process of its own, so that its work does not slow down who syncs with it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Fault } from './flukebase-faults.ts';

/** A fault meets every request from then on. */
export type FlukeBaseCommand = 'tell' | 'go_away' | 'come_back' | 'heal' | Fault;

export interface FlukeBaseNews {
  /** Requests. */
  readonly asked: number;
  /** Of each entry that it holds, from its timestamp to its arrival. */
  readonly latencies_ms: readonly number[];
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
