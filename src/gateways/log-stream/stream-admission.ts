/** Decides at the handshake who may connect: pages of other hosts never, and off loopback nobody with a wrong token. */
import type { IncomingMessage } from 'node:http';
import { Injectable, Optional } from '@nestjs/common';
import { isLoopback } from './loopback.js';
import { LogStreamOptions } from './log-stream.options.js';
import { StreamAuthenticator, type StreamPrincipal } from './stream-authenticator.js';
import { StreamRefusals } from './stream-refusals.js';

export const SUBPROTOCOL = 'flukedeploy.logs.v1';
/** Browsers cannot send an Authorization header: there the token comes as a second subprotocol, in base64url. */
const TOKEN_SUBPROTOCOL = 'base64url.bearer.flukedeploy.';

export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly reason: string;
}

export interface Identification {
  readonly token: string;
  readonly principal: StreamPrincipal;
}

@Injectable()
export class StreamAdmission {
  readonly tokenRequired: boolean;
  private readonly identified = new WeakMap<IncomingMessage, Identification>();

  constructor(
    private readonly options: LogStreamOptions,
    private readonly refusals: StreamRefusals,
    @Optional() private readonly authenticator?: StreamAuthenticator,
  ) {
    this.tokenRequired = !isLoopback(options.host);
    if (this.tokenRequired && authenticator === undefined) {
      throw new Error(`The log stream listens on ${options.host}, where it needs tokens, but nothing checks them`);
    }
  }

  /** `undefined`: the handshake may go on. Who sent no token at all may still send one as the first message. */
  async check(request: IncomingMessage, origin: string | undefined): Promise<Refusal | undefined> {
    const refusal = await this.judge(request, origin);
    if (refusal === undefined || refusal.status === 503) return refusal;
    const code = refusal.status === 401 ? 'unauthenticated' : 'forbidden';
    await this.refusals.handshake(request, code, refusal.reason);
    return refusal;
  }

  private async judge(request: IncomingMessage, origin: string | undefined): Promise<Refusal | undefined> {
    if (!this.isOwnOrigin(origin, request)) return { status: 403, reason: 'This Origin may not connect.' };
    const token = this.tokenRequired ? tokenOf(request) : undefined;
    if (token === undefined) return undefined;
    try {
      const principal = await this.authenticate(token);
      if (principal === undefined) return { status: 401, reason: 'The token is not valid.' };
      this.identified.set(request, { token, principal });
      return undefined;
    } catch {
      return { status: 503, reason: 'The token cannot be checked at the moment.' };
    }
  }

  identificationOf(request: IncomingMessage): Identification | undefined {
    return this.identified.get(request);
  }

  async authenticate(token: string): Promise<StreamPrincipal | undefined> {
    return token === '' ? undefined : this.authenticator?.authenticate(token);
  }

  /**
   * Own pages come from the stream's host, from its port or one of `pagePorts`: another app on this machine is not ours.
   * On loopback, where no token protects, the host must be loopback by name too: otherwise any site could point its own
   * name at 127.0.0.1 and read along (DNS rebinding).
   */
  private isOwnOrigin(origin: string | undefined, { headers }: IncomingMessage): boolean {
    if (origin === undefined) return true;
    const page = URL.parse(origin);
    const own = URL.parse(`http://${headers.host ?? ''}`);
    if (page === null) return false;
    if (this.options.originHosts.includes(page.hostname)) return true;
    const ports = [portOf(own), ...this.options.pagePorts];
    const isOwn = page.hostname === own?.hostname && ports.includes(portOf(page));
    return isOwn && (this.tokenRequired || isLoopback(page.hostname));
  }
}

function portOf(url: URL | null): number {
  return Number(url?.port || (url?.protocol === 'https:' ? 443 : 80));
}

/** `undefined`: none was sent. Credentials of another kind are an empty token, which nobody has. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined) return /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1] ?? '';
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim());
  const encoded = offered?.find((protocol) => protocol.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString();
}
