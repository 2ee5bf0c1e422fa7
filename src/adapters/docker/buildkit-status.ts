/** Reads BuildKit's trace messages: protobuf inside base64 inside JSON. */
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

/** One step of the build; sent again whenever something about it changes. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly started?: Timestamp;
  readonly completed?: Timestamp;
  readonly error: string;
}

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface BuildkitStatus {
  readonly vertexes: readonly Vertex[];
  readonly logs: readonly { readonly vertex: string; readonly msg: Uint8Array }[];
  readonly warnings: readonly { readonly short: Uint8Array }[];
}

// dockerode ships the definition, but gives out only text that it has formatted itself.
const definition = createRequire(import.meta.url).resolve('dockerode/lib/proto/buildkit_status.proto');
const StatusResponse = protobuf.loadSync(definition).lookupType('moby.buildkit.v1.StatusResponse');

export function decodeStatus(base64: string): BuildkitStatus {
  const message = StatusResponse.decode(Buffer.from(base64, 'base64'));
  return StatusResponse.toObject(message, { longs: Number, arrays: true, defaults: true }) as BuildkitStatus;
}

export function secondsBetween(from: Timestamp, to: Timestamp): number {
  return to.seconds - from.seconds + (to.nanos - from.nanos) / 1e9;
}
