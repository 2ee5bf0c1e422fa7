/** No edge: FlukeDeploy was told to run none, so apps are reached by their published ports, and probed directly. */
import { once } from 'node:events';
import { Edge } from '../../domain/ports.js';
import { SocketProbes } from './socket-probes.js';

export class NoEdge extends Edge {
  override readonly enabled = false;
  override readonly probes = new SocketProbes();

  override async ensure(): Promise<void> {}

  override async ping(): Promise<void> {}

  override async apply(): Promise<'unchanged'> {
    return 'unchanged';
  }

  override async revert(): Promise<boolean> {
    return false;
  }

  override async openConnections(): Promise<number> {
    return 0;
  }

  override async machineAddress(): Promise<undefined> {
    return undefined;
  }

  override async observe(_app: unknown, _since: string, _take: unknown, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await once(signal, 'abort');
  }
}
