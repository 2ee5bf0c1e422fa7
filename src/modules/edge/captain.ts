/** FlukeDeploy's own API behind its own edge: at `captain.<root domain>`. */
import { Injectable } from '@nestjs/common';
import { AppStore, Edge } from '../../domain/ports.js';

export class CaptainOptions {
  constructor(
    readonly rootDomain: string | undefined,
    /** `host:port` at which the edge reaches the API; absent = this machine, as the edge sees it. */
    readonly upstream: string | undefined,
  ) {}
}

@Injectable()
export class Captain {
  constructor(
    private readonly options: CaptainOptions,
    private readonly edge: Edge,
    private readonly apps: AppStore,
  ) {}

  /** Says where the API listens now. Whoever looks after the edge brings it there. */
  async listens(port: number): Promise<void> {
    const { rootDomain, upstream } = this.options;
    if (rootDomain === undefined || !this.edge.enabled) return;
    const machine = upstream === undefined ? await this.edge.machineAddress() : undefined;
    const address = upstream ?? (machine && `${machine}:${port}`);
    await this.apps.setCaptain(address ? { host: `captain.${rootDomain}`, upstream: address } : undefined);
  }
}
