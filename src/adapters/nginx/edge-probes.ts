/** Probes from where the edge stands: through its tunnel, which takes the destination from a PROXY header. */
import { once } from 'node:events';
import { isIPv4, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { DeployError } from '../../domain/errors.js';
import { dial, type ProbeRoute, SocketProbes } from '../network/socket-probes.js';
import { TUNNEL_PORT } from './edge-paths.js';

/** A little longer than nginx tries to connect: by then it has closed what it could not. */
const CONNECTED_AFTER_MS = 1_200;

/** The same probes as over plain sockets, on connections that the edge opens. */
export class EdgeProbes extends SocketProbes {
  /**
   * @param edgeAddress where this process reaches the edge's container now
   * @param secretAddress the address that the tunnel lets in
   */
  constructor(edgeAddress: () => Promise<string>, secretAddress: string) {
    super(tunnel(edgeAddress, secretAddress));
  }
}

function tunnel(edgeAddress: () => Promise<string>, secretAddress: string): ProbeRoute {
  return {
    dial: async (host, port, stop) => {
      if (!isIPv4(host)) throw new Error(`the edge is asked to connect to ${host}, which is no IPv4 address`);
      const socket = await reach(edgeAddress, stop);
      // nginx takes addresses as text and does not mind that the two are of different families.
      socket.write(`PROXY TCP6 ${secretAddress} ${host} 1 ${port}\r\n`);
      return socket;
    },
    accepted: async (socket, stop) => {
      const closed = new Error('the edge could not connect to it');
      const settled = new AbortController();
      const signal = AbortSignal.any([stop, settled.signal]);
      try {
        await Promise.race([
          once(socket, 'data', { signal }),
          pause(CONNECTED_AFTER_MS, undefined, { signal }),
          ended(socket, signal).then(() => Promise.reject(closed)),
        ]);
      } finally {
        settled.abort();
      }
    },
  };
}

/** @throws DeployError `edge_unavailable`: that says nothing of the service behind it */
async function reach(edgeAddress: () => Promise<string>, stop: AbortSignal): Promise<Socket> {
  try {
    return await dial(await edgeAddress(), TUNNEL_PORT, stop);
  } catch (error) {
    if (error instanceof DeployError) throw error;
    throw new DeployError('edge_unavailable', `The edge cannot be asked: ${String(error)}`, { cause: error });
  }
}

/** Whichever way it ends. */
async function ended(socket: Socket, signal: AbortSignal): Promise<void> {
  await Promise.race([once(socket, 'end', { signal }), once(socket, 'close', { signal })]);
}
