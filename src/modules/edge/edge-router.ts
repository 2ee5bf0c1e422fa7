/** Brings what the store says about traffic, certificates and challenges to the edge. */
import { Injectable } from '@nestjs/common';
import { AppStore, Edge, EdgeSync } from '../../domain/ports.js';
import { EdgeCertificates } from '../certificates/index.js';

@Injectable()
export class EdgeRouter extends EdgeSync {
  /** The round that has not begun yet: whoever comes meanwhile is served by it. */
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly edge: Edge,
    private readonly apps: AppStore,
    private readonly certificates: EdgeCertificates,
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
      const [captain, traffic, certificates, challenges] = await Promise.all([
        this.apps.captain(),
        this.apps.traffic(),
        this.certificates.served(),
        this.certificates.challenges(),
      ]);
      await this.edge.apply({ traffic, certificates, challenges, ...(captain && { captain }) });
    });
  }
}
