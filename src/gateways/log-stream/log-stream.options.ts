/** Where the log stream listens and how patient it is; the composition root provides it from the configuration. */
export class LogStreamOptions {
  /** Anything but a loopback address demands a token of every client. */
  readonly host: string = '127.0.0.1';
  /** 0 takes a free one. */
  readonly port: number = 8767;
  /** Host names, beside the stream's own, whose pages may connect, such as that of the dashboard behind a proxy. */
  readonly originHosts: readonly string[] = [];
  /** Ports of FlukeDeploy's own pages on the stream's host. */
  readonly pagePorts: readonly number[] = [];
  /** A client that missed two pings in a row is dropped. */
  readonly pingIntervalMs: number = 15_000;
  /** A client that is behind and takes nothing for this long is closed with 4008. */
  readonly slowConsumerMs: number = 10_000;
  /** Time to send a token where none came with the handshake. */
  readonly authenticateWithinMs: number = 5_000;
  /** How often it is checked that a token is still good. */
  readonly recheckTokenMs: number = 60_000;
  /** How long the shutdown waits for clients to say goodbye. */
  readonly farewellMs: number = 2_000;

  constructor(changes: Partial<LogStreamOptions> = {}) {
    Object.assign(this, changes);
  }
}
