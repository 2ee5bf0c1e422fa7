/** The clock of the certificates: every few seconds what is due is ordered. */
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { AppStore } from '../../domain/ports.js';
import { CaptainName } from './captain-name.js';
import { CertificatesService } from './certificates.service.js';

/** Stands for FlukeDeploy itself; no app may have this name. */
const CAPTAIN = 'captain';
const ROUND_MS = 3_000;

@Injectable()
export class CertificateRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('Certificates');
  readonly #over = new AbortController();
  /** Hosts by app, as they were last declared. */
  readonly #declared = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #trouble: string | undefined;

  constructor(
    private readonly certificates: CertificatesService,
    private readonly apps: AppStore,
    private readonly captain: CaptainName,
  ) {}

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
        this.#round = this.#declare()
          .then(() => this.certificates.round(this.#over.signal))
          .then(() => this.#recovered())
          .catch((error: unknown) => this.#report(error))
          .finally(() => {
            if (!this.#over.signal.aborted) this.#schedule();
          });
      },
      ROUND_MS * (0.5 + Math.random()),
    );
  }

  /** Every host that is routed wants a certificate; whoever is routed no longer, none. */
  async #declare(): Promise<void> {
    const places = (await this.apps.traffic()).map(({ app_name, environment, hosts }) => ({
      app_name,
      environment,
      hosts,
    }));
    const { host } = this.captain;
    if (host !== undefined) places.push({ app_name: CAPTAIN, environment: 'production', hosts: [host] });
    for (const { app_name, environment, hosts } of places) {
      const key = `${app_name}/${environment}`;
      if (this.#declared.get(key) === hosts.join()) continue;
      await this.certificates.wanted(app_name, environment, [...hosts]);
      this.#declared.set(key, hosts.join());
    }
    for (const key of this.#declared.keys()) {
      const [app_name = '', environment = ''] = key.split('/');
      if (places.some((place) => place.app_name === app_name && place.environment === environment)) continue;
      await this.certificates.wanted(app_name, environment, []);
      this.#declared.delete(key);
    }
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
