/** Brings what the store says about traffic, certificates and challenges to the edge. */
import { Injectable } from '@nestjs/common';
import { AppStore, Edge, EdgeSync, type EdgeState } from '../../domain/ports.js';
import { EdgeCertificates } from '../certificates/index.js';

/** Where FlukeDeploy's own API is reached: by people at `captain.<root domain>`, by the edge at an address and port. */
export class CaptainAddress {
  /** Known once the API listens. */
  port: number | undefined;

  constructor(
    private readonly rootDomain: string | undefined,
    /** `host:port` as the edge sees it; absent = this machine. */
    private readonly upstream: string | undefined,
  ) {}

  /** @param machine how the edge reaches a program on this machine */
  at(machine: string | undefined): EdgeState['captain'] {
    const upstream = this.upstream ?? (machine && this.port !== undefined ? `${machine}:${this.port}` : undefined);
    if (this.rootDomain === undefined || upstream === undefined) return undefined;
    return { host: `captain.${this.rootDomain}`, upstream };
  }
}

@Injectable()
export class EdgeRouter extends EdgeSync {
  /** The round that has not begun yet: whoever comes meanwhile is served by it. */
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly edge: Edge,
    private readonly apps: AppStore,
    private readonly certificates: EdgeCertificates,
    private readonly captain: CaptainAddress,
  ) {
    super();
  }

  /** Resolves when the edge serves at least what was stored before the call. @throws DeployError `edge_unavailable`, `edge_rejected` */
  override sync(): Promise<void> {
    if (!this.edge.enabled) return Promise.resolve();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#running = this.#next ?? Promise.resolve();
        this.#next = undefined;
        return this.#bring();
      });
    return this.#next;
  }

  /** One process at a time reads and applies: an older state never comes after a newer one. */
  async #bring(): Promise<void> {
    await this.apps.exclusively('flukedeploy-edge', true, async () => {
      const [traffic, certificates, challenges] = await Promise.all([
        this.apps.traffic(),
        this.certificates.served(),
        this.certificates.challenges(),
      ]);
      const captain = this.captain.at(await this.edge.machineAddress());
      await this.edge.apply({ traffic, certificates, challenges, ...(captain && { captain }) });
    });
  }
}
