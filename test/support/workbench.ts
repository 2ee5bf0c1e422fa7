/** What every e2e suite stands on: one installation, a client, names of its own, and a look at what deployments leave behind. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../src/adapters/postgres/database.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { Client } from './client.js';
import { openDatabase } from './installation-database.js';
import { TestInstallation } from './server-process.js';
import { SwarmState } from './swarm-state.js';
import { freePort } from './test-registry.js';

export class Workbench {
  /** Deployments that were set going beforehand, by their app. */
  readonly #runs = new Map<string, Promise<DeploymentView>>();

  private constructor(
    private readonly prefix: string,
    readonly installation: TestInstallation,
    readonly client: Client,
    readonly swarm: SwarmState,
    /** Where the edge listens; there is none without. */
    readonly edge: EdgePorts | undefined,
  ) {}

  static async set(environment: Readonly<Record<string, string>> = {}): Promise<Workbench> {
    return Workbench.#set(environment, undefined);
  }

  /** With an edge of its own, on free ports, for apps at `<app>.ROOT_DOMAIN`. */
  static async withEdge(environment: Readonly<Record<string, string>> = {}, ports?: EdgePorts): Promise<Workbench> {
    return Workbench.#set(environment, ports ?? (await freeEdgePorts()));
  }

  static async #set(environment: Readonly<Record<string, string>>, edge: EdgePorts | undefined): Promise<Workbench> {
    const prefix = `fde2e-${randomBytes(4).toString('hex')}`;
    const installation = await TestInstallation.create({ ...(edge && edgeEnvironment(prefix, edge)), ...environment });
    const client = await Client.logIn(() => installation.server.url);
    return new Workbench(prefix, installation, client, new SwarmState(prefix), edge);
  }

  /** The app's host name at the edge. */
  host(name: string): string {
    return `${this.app(name)}.${ROOT_DOMAIN}`;
  }

  /** The app's name in this run. */
  app(name: string): string {
    return `${this.prefix}-${name}`;
  }

  /** Asks for a deployment and does not wait for it; many of different apps run at once. */
  start(name: string, spec: Record<string, unknown>, archive?: Uint8Array): void {
    const run = this.client.run({ app_name: this.app(name), ...spec }, archive);
    // Whoever asks for the end gets to see the error.
    run.catch(() => undefined);
    this.#runs.set(name, run);
  }

  /** The end of what was started for the app. */
  async ended(name: string): Promise<DeploymentView> {
    const run = this.#runs.get(name);
    if (run === undefined) throw new Error(`nothing was started for ${name}`);
    return run;
  }

  /** Everything that is still there of the app, in Docker, on disk and in the database, and belongs to no living deployment. */
  async remainsOf(name: string): Promise<Remains> {
    const app = this.app(name);
    const state = new SwarmState(app);
    return this.database(async (database) => {
      const deployments = await database.query<{ id: string }>('select id from deployments where app_name = $1', [app]);
      const ids = deployments.map(({ id }) => id);
      const folders = await readdir(join(this.installation.directory, 'workspaces')).catch(() => []);
      const pieces = await database.query<{ deployment_id: string }>('select deployment_id from archive_pieces');
      return {
        service: (await state.service())?.deployment,
        containers: await state.containers(),
        images: await state.images(),
        workspaces: folders.filter((folder) => ids.some((id) => folder.startsWith(id))),
        archive_pieces: pieces.filter(({ deployment_id }) => ids.includes(deployment_id)).length,
      };
    });
  }

  async database<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    const database = await openDatabase(this.installation.directory);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  /** The server first: what it has not finished would make services anew. */
  async clear(): Promise<void> {
    try {
      await this.installation.remove();
    } finally {
      await this.swarm.clean();
    }
  }
}

export interface EdgePorts {
  readonly http: number;
  readonly https: number;
}

export async function freeEdgePorts(): Promise<EdgePorts> {
  return { http: await freePort(), https: await freePort() };
}

export const ROOT_DOMAIN = 'apps.test';

function edgeEnvironment(prefix: string, { http, https }: EdgePorts): Record<string, string> {
  return {
    HTTP_PORT: String(http),
    HTTPS_PORT: String(https),
    ROOT_DOMAIN,
    EDGE_NAME: `${prefix}-edge`,
    // The edge must reach the API, and does so from outside of loopback.
    HOST: '0.0.0.0',
  };
}

export interface Remains {
  readonly service: string | undefined;
  readonly containers: readonly string[];
  readonly images: readonly string[];
  readonly workspaces: readonly string[];
  readonly archive_pieces: number;
}

export const NOTHING: Remains = { service: undefined, containers: [], images: [], workspaces: [], archive_pieces: 0 };
