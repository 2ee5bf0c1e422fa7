/** The clock of the certificates: every few seconds what is due is ordered. */
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CertificatesService } from './certificates.service.js';

const ROUND_MS = 3_000;

@Injectable()
export class CertificateRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Certificates');
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #trouble: string | undefined;

  constructor(private readonly certificates: CertificatesService) {}

  onApplicationBootstrap(): void {
    this.#schedule();
  }

  /** An order under way is given back, for the next process to take. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#over.abort(new Error('FlukeDeploy shuts down.'));
    clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(): void {
    // At random moments, so that many processes do not look all at once.
    this.#timer = setTimeout(
      () => {
        this.#round = this.certificates
          .round(this.#over.signal)
          .then(() => this.#recovered())
          .catch((error: unknown) => this.#report(error))
          .finally(() => {
            if (!this.#over.signal.aborted) this.#schedule();
          });
      },
      ROUND_MS * (0.5 + Math.random()),
    );
  }

  /** An outage is told when it begins and when it ends. */
  #report(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#trouble) this.#logger.warn(`Looking after certificates failed: ${text}`);
    this.#trouble = text;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) this.#logger.log('Looking after certificates works again');
    this.#trouble = undefined;
  }
}
