/**
 * The channel over which BuildKit asks back during a build: for the login of a registry, and whether we are still there. It is gRPC
 * (HTTP/2 with protobuf) on the connection that `POST /session` leaves open. And whether the Engine has BuildKit at all.
 */
import { randomUUID } from 'node:crypto';
import { performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import protobuf from 'protobufjs';
import { openStream } from './engine-stream.js';
import { registryAuth, type RegistryLocation } from './registry-location.js';

export interface BuildkitSession {
  readonly id: string;
  /** Must be called in every case, or the connection stays open. */
  end(): void;
}

const CREDENTIALS = '/moby.filesync.v1.Auth/Credentials';
const HEALTH = '/grpc.health.v1.Health/Check';
/** `status: SERVING`. */
const SERVING = Buffer.from([0x08, 0x01]);
const UNIMPLEMENTED = 12;
/** A request holds the name of a host, hardly more. */
const LONGEST_REQUEST = 64 * 1024;
/** gRPC's message frame: a byte that says it is not compressed, and four of its length. */
const FRAME_BYTES = 5;

const auth = protobuf.loadSync(createRequire(import.meta.url).resolve('dockerode/lib/proto/auth.proto'));
const CredentialsRequest = auth.lookupType('moby.filesync.v1.CredentialsRequest');
const CredentialsResponse = auth.lookupType('moby.filesync.v1.CredentialsResponse');

/** Each registry is shown its own login, and no other. dockerode's own session knows only one for all. */
export async function openSession(docker: Docker, registries: readonly RegistryLocation[]): Promise<BuildkitSession> {
  const id = randomUUID();
  const socket = await dial(docker, id);
  const session = performServerHandshake(socket);
  // The build itself tells what becomes of it.
  session.on('error', () => undefined);
  socket.on('error', () => undefined);
  session.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    answer(stream, headers[':path'] ?? '', registries).catch(() => stream.destroy());
  });
  const end = (): void => {
    session.destroy();
    socket.destroy();
  };
  return { id, end };
}

function dial(docker: Docker, id: string): Promise<Duplex> {
  const options = {
    method: 'POST',
    path: '/session',
    hijack: true,
    headers: {
      Upgrade: 'h2c',
      'X-Docker-Expose-Session-Uuid': id,
      'X-Docker-Expose-Session-Name': 'flukedeploy',
      'X-Docker-Expose-Session-Grpc-Method': [CREDENTIALS, HEALTH],
    },
    statusCodes: { 200: true },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error: Error | null, socket: unknown) =>
      error ? reject(error) : resolve(socket as Duplex),
    );
  });
}

async function answer(
  stream: ServerHttp2Stream,
  method: string,
  registries: readonly RegistryLocation[],
): Promise<void> {
  const request = await messageOf(stream);
  const message = method === CREDENTIALS ? credentials(request, registries) : method === HEALTH ? SERVING : undefined;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': message ? '0' : String(UNIMPLEMENTED) }));
  stream.end(message && framed(message));
}

function credentials(request: Buffer, registries: readonly RegistryLocation[]): Uint8Array {
  const { Host: host } = CredentialsRequest.toObject(CredentialsRequest.decode(request)) as { Host?: string };
  const { username = '', password = '' } = registryAuth(registries, `${host ?? ''}/`) as Record<string, string>;
  return CredentialsResponse.encode({ Username: username, Secret: password }).finish();
}

async function messageOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > LONGEST_REQUEST) throw new Error('BuildKit asks too long a question');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).subarray(FRAME_BYTES);
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Engines name a builder when they prefer one; Linux engines that name none have both. */
export async function hasBuildkit(docker: Docker, signal: AbortSignal): Promise<boolean> {
  const ping = await openStream(docker, { method: 'GET', path: '/_ping' }, signal);
  ping.resume();
  const builder = ping.headers['builder-version'];
  return builder === undefined ? ping.headers['ostype'] === 'linux' : builder === '2';
}
