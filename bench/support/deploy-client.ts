/** Deployments asked for and waited for as a client does it, with their moments on the clock of the benchmarks. */
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { now } from './benchmark.ts';
import { isFinal } from './built.ts';
import { logIn, type Server } from './server.ts';

const WAIT_SECONDS = 60;

export interface DeploymentRun {
  readonly view: DeploymentView;
  readonly asked: number;
  /** When the client learnt of the end. */
  readonly ended: number;
}

export class DeployClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  static async logIn(server: Server): Promise<DeployClient> {
    return new DeployClient(server.url, await logIn(server));
  }

  /** Asks for it and waits for its end, whatever that is. */
  async run(spec: Readonly<Record<string, unknown>>): Promise<DeploymentRun> {
    const headers = { ...this.#headers, 'content-type': 'application/json' };
    const asked = now();
    const response = await fetch(`${this.#url}/api/v1/deploy`, { method: 'POST', headers, body: JSON.stringify(spec) });
    if (response.status !== 202) throw new Error(`the deployment was refused: ${await response.text()}`);
    const view = await this.ended(((await response.json()) as DeploymentView).deployment_id);
    return { view, asked, ended: now() };
  }

  /** The same, where anything but success is an error. */
  async succeed(spec: Readonly<Record<string, unknown>>): Promise<DeploymentRun> {
    const run = await this.run(spec);
    const { status, error } = run.view;
    if (status !== 'success') throw new Error(`a deployment ended as ${status}: ${error?.message ?? ''}`);
    return run;
  }

  async ended(id: string): Promise<DeploymentView> {
    for (;;) {
      const url = `${this.#url}/api/v1/deployments/${id}?wait_seconds=${WAIT_SECONDS}`;
      const view = (await (await fetch(url, { headers: this.#headers })).json()) as DeploymentView;
      if (isFinal(view.status)) return view;
    }
  }
}

/** A time of day, in ISO 8601, as a moment of `now()`. */
export function momentOf(time: string): number {
  return now() - (Date.now() - Date.parse(time));
}
