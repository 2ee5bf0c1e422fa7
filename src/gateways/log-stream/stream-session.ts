/** Who is behind one connection: anybody where no token is needed, else somebody whose token is looked at again and again. */
import { Logger } from '@nestjs/common';
import type { LogStreamOptions } from './log-stream.options.js';
import type { Identification, StreamAdmission } from './stream-admission.js';
import type { StreamPrincipal } from './stream-authenticator.js';
import { StreamError } from './stream-error.js';

export class StreamSession {
  private readonly logger = new Logger(StreamSession.name);
  private owner: StreamPrincipal | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `end` is called when no token came in time, or when the token has been revoked. */
  constructor(
    private readonly admission: StreamAdmission,
    private readonly options: LogStreamOptions,
    identification: Identification | undefined,
    private readonly end: (reason: string) => void,
  ) {
    if (identification) this.admit(identification);
    else if (admission.tokenRequired)
      this.timer = setTimeout(() => end('no token in time'), options.authenticateWithinMs);
  }

  get admitted(): boolean {
    return this.owner !== undefined || !this.admission.tokenRequired;
  }

  /** Undefined for anybody. */
  get principal(): StreamPrincipal | undefined {
    return this.owner;
  }

  /** @throws StreamError `unauthenticated`, `unavailable`; `invalid_message` when somebody is here already */
  async authenticate(token: unknown): Promise<void> {
    if (!this.admission.tokenRequired) return;
    if (this.owner) throw new StreamError('invalid_message', 'This connection has its token already.', 'token');
    if (typeof token !== 'string') throw new StreamError('unauthenticated', 'token must be a text.', 'token');
    const principal = await this.admission.authenticate(token).catch(() => {
      throw new StreamError('unavailable', 'The token cannot be checked at the moment.');
    });
    if (principal === undefined) throw new StreamError('unauthenticated');
    this.admit({ token, principal });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private admit({ token, principal }: Identification): void {
    this.stop();
    this.owner = principal;
    this.timer = setInterval(() => void this.recheck(token), this.options.recheckTokenMs);
  }

  /** Only a clear no ends the session: while the check itself fails, who was let in stays. */
  private async recheck(token: string): Promise<void> {
    try {
      if ((await this.admission.authenticate(token)) === undefined) this.end('the token is no longer valid');
    } catch (error) {
      this.logger.warn(`A token could not be checked again: ${String(error)}`);
    }
  }
}
