/** Ends answers that stay open, such as streams of events, when the credentials of their request have ended. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { AuthService, tokenOf } from '../auth/index.js';
import { McpOptions } from './mcp-options.js';

@Injectable()
export class LastingAnswers {
  readonly #logger = new Logger('McpStream');

  constructor(
    private readonly auth: AuthService,
    private readonly options: McpOptions,
  ) {}

  watch(request: IncomingMessage, response: ServerResponse): void {
    const token = tokenOf(request);
    if (token === undefined) return;
    const timer = setInterval(() => void this.#check(token, response), this.options.recheckTokenMs);
    response.once('close', () => clearInterval(timer));
  }

  /** Only a clear no ends it: while the check itself fails, who was let in stays. */
  async #check(token: string, response: ServerResponse): Promise<void> {
    try {
      if ((await this.auth.authenticateToken(token)) === undefined) response.destroy();
    } catch (error) {
      this.#logger.warn(`A token could not be checked again: ${String(error)}`);
    }
  }
}
