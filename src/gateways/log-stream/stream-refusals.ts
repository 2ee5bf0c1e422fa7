/** Whom the log stream has refused, in the audit trail: like the refusals of the API, and within the same allowance. */
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { matchesPattern } from '../../domain/app-pattern.js';
import { DeployError } from '../../domain/errors.js';
import { Auditor } from '../../modules/audit/index.js';
import { isLoopback } from './loopback.js';
import type { StreamPrincipal } from './stream-authenticator.js';

const ACTION = 'logs.stream';
/** The stream as a whole. */
const EVERYTHING = 'logs';

type Code = 'unauthenticated' | 'forbidden';

/** A client that is connected. */
interface Asker {
  readonly address: string | undefined;
  readonly session: { readonly principal: StreamPrincipal | undefined };
}

@Injectable()
export class StreamRefusals {
  constructor(private readonly auditor: Auditor) {}

  handshake(request: IncomingMessage, code: Code, reason: string): Promise<void> {
    return this.#record(code, reason, addressOf(request), undefined, EVERYTHING);
  }

  /** No token, a wrong one, or one that has ended. */
  unauthenticated({ address, session }: Asker, reason: string): Promise<void> {
    return this.#record('unauthenticated', reason, address, session.principal, EVERYTHING);
  }

  /** The answer does not tell an app of others from one that there is not; the trail does. */
  async foreignApp({ address, session: { principal } }: Asker, app: string | undefined): Promise<void> {
    const apps = principal?.apps;
    if (app === undefined || apps === undefined || apps.some((pattern) => matchesPattern(app, pattern))) return;
    const reason = `${app} is none of the apps of this token: ${apps.join(', ')}.`;
    await this.#record('forbidden', reason, address, principal, app);
  }

  async #record(
    code: Code,
    reason: string,
    address: string | undefined,
    principal: StreamPrincipal | undefined,
    target: string,
  ): Promise<void> {
    const { actor = { kind: 'anonymous', name: 'anonymous' } as const, token_id } = principal ?? {};
    const intent = {
      at: new Date().toISOString(),
      actor: { ...actor, ...(token_id !== undefined && { token_id }) },
      action: ACTION,
      target,
      ...(address !== undefined && { address }),
    };
    await this.auditor.refused(intent, new DeployError(code, reason));
  }
}

/** As the API takes it: what a proxy says of its client counts where the proxy runs on this machine. */
export function addressOf({ socket, headers }: IncomingMessage): string | undefined {
  const address = socket.remoteAddress?.replace(/^::ffff:/, '');
  if (address === undefined || !isLoopback(address)) return address;
  return [headers['x-forwarded-for']].flat().at(-1)?.split(',').at(-1)?.trim() ?? address;
}
