/** The edge as nginx in Swarm: one configuration file, checked, swapped and reloaded without losing a connection. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DeployError } from '../../domain/errors.js';
import { Edge, type EdgeState, type RequestSample } from '../../domain/edge-ports.js';
import type { Probes } from '../../domain/ports.js';
import type { DockerClient } from '../docker/docker-client.js';
import { machineAddress } from '../docker/task-address.js';
import { SocketProbes } from '../network/socket-probes.js';
import { type CertificateFile, certificateFiles } from './edge-certificates.js';
import { edgeConfig, type EdgeConfig, type EdgeConfigOptions, revisionIn } from './edge-config.js';
import { EdgeContainer } from './edge-container.js';
import { EDGE_IMAGE } from './edge-image.js';
import { followRequests } from './edge-log.js';
import { CERTIFICATE_FOLDER, EDGE_FOLDER, LIVE_FILE, PREVIOUS_FILE } from './edge-paths.js';
import { EdgeProbes } from './edge-probes.js';
import { EdgeService } from './edge-service.js';
import { secretAddress } from './edge-tunnel-secret.js';
import { appKey } from './edge-upstreams.js';
import { countEstablished } from './proc-net-tcp.js';

export interface NginxEdgeOptions {
  /** Published on the node; 0 = there is no edge. */
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Which FlukeDeploy this is: a label on all that the edge consists of. */
  readonly installation: string;
  /** From which the tunnel's address is derived; the same in all processes. */
  readonly tunnelSecret: string;
  readonly service?: string;
  /** Name of the overlay network on which it reaches the apps. */
  readonly network?: string;
  readonly image?: string;
  /** How long connections of a configuration before may go on. */
  readonly drainSeconds?: number;
  readonly bodyMegabytes?: number;
}

export const EDGE_NAME = 'flukedeploy-edge';
const RELOAD_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 25;
/**
 * nginx lets old and new workers accept together for a tenth of a second: this many answers of the new ones in a row, each on a
 * connection of its own, are longer than that.
 */
const ANSWERS_IN_A_ROW = 6;
const NOTHING: EdgeState = { traffic: [], certificates: [], challenges: [] };

export class NginxEdge extends Edge {
  override readonly enabled: boolean;
  override readonly probes: Probes;
  readonly #container: EdgeContainer;
  readonly #service: EdgeService;
  readonly #config: EdgeConfigOptions;
  readonly #first: EdgeConfig;
  /** Those of the last change by this process; only others are worth a look at the folder. */
  #certificates: string | undefined;
  /** The change under way in this process: they come one after another. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: DockerClient,
    options: NginxEdgeOptions,
  ) {
    super();
    const { service = EDGE_NAME, network = EDGE_NAME, image = EDGE_IMAGE, httpPort, httpsPort, installation } = options;
    const tunnelAddress = secretAddress(options.tunnelSecret);
    this.enabled = httpPort !== 0;
    this.#config = {
      httpsPort,
      tunnelAddress,
      drainSeconds: options.drainSeconds ?? 60,
      bodyMegabytes: options.bodyMegabytes ?? 512,
    };
    this.#first = edgeConfig(NOTHING, { ...this.#config, httpsPort: httpsPort || 443 });
    this.#container = new EdgeContainer(client, service);
    const place = { service, network, volume: service, image, httpPort, httpsPort, installation };
    this.#service = new EdgeService(client, place, this.#container, this.#first.text);
    this.probes = this.enabled ? new EdgeProbes(() => this.#container.address(), tunnelAddress) : new SocketProbes();
  }

  override async machineAddress(): Promise<string | undefined> {
    return this.client.local ? machineAddress(await this.client.calls()) : undefined;
  }

  override async ensure(): Promise<void> {
    if (this.enabled) await this.#service.ensure();
  }

  override async ping(): Promise<void> {
    if (!this.enabled || (await this.#container.servedRevision()) !== undefined) return;
    throw new DeployError('edge_unavailable');
  }

  override async apply(state: EdgeState): Promise<'applied' | 'unchanged'> {
    if (!this.enabled) return 'unchanged';
    return this.oneAfterAnother(async () => {
      const config = edgeConfig(state, this.#config);
      const served = await this.#container.servedRevision();
      // Both: what serves, and what would serve after a restart.
      if (served === config.revision && (await this.revisionOf(LIVE_FILE)) === served) return 'unchanged';

      const candidate = `candidate-${config.revision}.conf`;
      const certificates = certificateFiles(state.certificates);
      await this.#container.put([
        { path: `${CERTIFICATE_FOLDER}/` },
        ...certificates.map(({ file, pem }) => ({ path: file.slice(EDGE_FOLDER.length + 1), body: pem })),
        { path: candidate, body: config.text },
      ]);
      await this.check(candidate);
      await this.makeLive(candidate, config.revision, served);
      await this.removeUnnamedCertificates(certificates);
      return 'applied';
    });
  }

  override async revert(): Promise<boolean> {
    if (!this.enabled) return false;
    return this.oneAfterAnother(async () => {
      const [served, previous] = await Promise.all([this.#container.servedRevision(), this.revisionOf(PREVIOUS_FILE)]);
      if (previous === undefined) return false;
      const candidate = `candidate-${previous}.conf`;
      await this.#container.must('ln', '-f', inEdge(PREVIOUS_FILE), inEdge(candidate));
      await this.check(candidate);
      await this.makeLive(candidate, previous, served);
      return true;
    });
  }

  override async openConnections(addresses: readonly string[]): Promise<number> {
    if (!this.enabled || addresses.length === 0) return 0;
    return countEstablished(await this.#container.must('cat', '/proc/net/tcp'), addresses);
  }

  override async observe(
    app: { readonly app_name: string; readonly environment: string },
    since: string,
    take: (sample: RequestSample) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return;
    if (this.enabled) await followRequests(this.client, this.#container, appKey(app), since, take, signal);
    else await once(signal, 'abort');
  }

  /** @throws DeployError `edge_rejected` with nginx's own words; the candidate is gone then */
  private async check(candidate: string): Promise<void> {
    const { ok, output } = await this.#container.run('nginx', '-t', '-q', '-c', inEdge(candidate));
    if (ok) return;
    await this.#container.run('rm', '-f', inEdge(candidate));
    // Its certificates are left; the next change looks for them.
    this.#certificates = undefined;
    const words = output.trim().split('\n');
    const telling = words.find((line) => line.includes('[emerg]')) ?? words.at(-1) ?? 'it does not say why';
    throw new DeployError('edge_rejected', `nginx refuses the configuration: ${telling}`, { evidence: words });
  }

  private async makeLive(candidate: string, revision: string, served: string | undefined): Promise<void> {
    // The empty one that every edge begins with is nothing to come back to.
    if (served === this.#first.revision) await this.#container.must('rm', '-f', inEdge(PREVIOUS_FILE));
    else await this.#container.must('ln', '-f', inEdge(LIVE_FILE), inEdge(PREVIOUS_FILE));
    await this.#container.must('mv', '-f', inEdge(candidate), inEdge(LIVE_FILE));
    await this.#container.reload();
    if (await this.serves(revision)) return;

    await this.#container.run('ln', '-f', inEdge(PREVIOUS_FILE), inEdge(LIVE_FILE));
    throw new DeployError('edge_unavailable', 'nginx did not take the new configuration in time.');
  }

  private async serves(revision: string): Promise<boolean> {
    const deadline = Date.now() + RELOAD_TIMEOUT_MS;
    for (let answers = 0; answers < ANSWERS_IN_A_ROW;) {
      if (Date.now() > deadline) return false;
      answers = (await this.#container.servedRevision()) === revision ? answers + 1 : 0;
      await pause(LOOK_EVERY_MS);
    }
    return true;
  }

  /** `undefined` where the file is missing, or not written by this code. */
  private async revisionOf(file: string): Promise<string | undefined> {
    const { ok, output } = await this.#container.run('head', '-n', '1', inEdge(file));
    return ok ? revisionIn(output) : undefined;
  }

  /** Private keys do not stay longer than a configuration names them. */
  private async removeUnnamedCertificates(named: readonly CertificateFile[]): Promise<void> {
    const known = named.map(({ file }) => file).join(' ');
    if (known === this.#certificates) return;
    this.#certificates = known;
    const listed = await this.#container.must('ls', inEdge(CERTIFICATE_FOLDER));
    const present = listed.split('\n').filter((name) => name.endsWith('.pem'));
    if (present.length === 0) return;
    // Without a previous one, cat still prints the live one.
    const { output } = await this.#container.run('cat', inEdge(LIVE_FILE), inEdge(PREVIOUS_FILE));
    const left = present.filter((name) => !output.includes(name));
    if (left.length > 0) {
      await this.#container.must('rm', '-f', ...left.map((name) => inEdge(`${CERTIFICATE_FOLDER}/${name}`)));
    }
  }

  private oneAfterAnother<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(work, work);
    this.#changing = result.catch(() => undefined);
    return result;
  }
}

const inEdge = (file: string): string => `${EDGE_FOLDER}/${file}`;
