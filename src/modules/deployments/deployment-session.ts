/** A worker's hold on one phase of one deployment: its signal, its log, and the commit that ends it. */
import type { AppConfig } from '../../domain/app-spec.js';
import type { DeploymentState, Fact, PhaseOutputs } from '../../domain/deployment.js';
import { DeployError, toFailure } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { createDeploymentLog, type EventMetadata, type LogDraft, type LogLevel } from '../../domain/log-entry.js';
import { boundedText, createLineMasker, createMasker, secretValues, type Masker } from '../../domain/masking.js';
import type { Phase } from '../../domain/phases.js';
import type { Appended, AppendItem, Claim, DeploymentRecord } from '../../domain/ports.js';
import { printable } from '../../domain/printable-text.js';
import type { Logbook } from '../logs/index.js';
import { imageTag } from './build-order.js';

const FLUSH_MS = 50;
const BATCH = 500;
const RETRY_MS = 500;
/** Lines that may wait for a slow store; what comes faster is left out, and the log says so. */
const MAX_WAITING = 10_000;

/** Why a session was stopped from outside; every other reason is a DeployError and becomes the failure. */
export type Interruption = 'shutdown' | 'lost';

export class DeploymentSession {
  readonly record: DeploymentRecord;
  readonly config: AppConfig;
  readonly phase: Phase;
  readonly attempt: number;
  /** Aborted by cancel, deadline, shutdown, or the loss of the lease; the reason says which. */
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #masker: Masker;
  readonly #maskLine: (line: string) => string;
  readonly #waiting: AppendItem[] = [];
  #lines = 0;
  #cut = 0;
  #batch = 0;
  #lost = false;
  /** Why something of the log is missing: then the phase has not succeeded. */
  #unwritten: DeployError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: DeploymentState;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    readonly claim: Claim,
    /** Clear values of the app's environment variables. */
    readonly env: Readonly<Record<string, string>>,
    /** Clear contents of the app's secret files. */
    readonly secrets: Readonly<Record<string, string>>,
    otherSecrets: readonly string[],
    private readonly logbook: Logbook,
  ) {
    this.record = claim.record;
    this.config = claim.config;
    this.phase = claim.phase;
    this.attempt = claim.attempt;
    this.signal = this.#abort.signal;
    this.#state = claim.record.state;
    this.#masker = createMasker([...secretValues({ ...env, ...secrets }), ...otherSecrets]);
    this.#maskLine = createLineMasker(this.#masker);
  }

  /** As it was when this session last wrote or looked. */
  get state(): DeploymentState {
    return this.#state;
  }

  /** How often a worker has begun the phase, this one included: more than attempts, where workers died or shut down. */
  get begun(): number {
    return this.#state.phases[this.phase].begun ?? this.attempt;
  }

  /** What the API has added meanwhile: a pause, a promotion. */
  learn(state: DeploymentState): void {
    this.#state = state;
  }

  /** While it is, nothing moves on and no time runs. */
  get isPaused(): boolean {
    return this.#state.rollout?.paused !== undefined;
  }

  /** The image tag that belongs to this deployment alone. */
  get tag(): string {
    return imageTag(this.state.identity);
  }

  /** The first reason decides, but for the loss of the lease: from then on nothing may be written, whatever came before. */
  stop(reason: DeployError | Interruption): void {
    if (reason === 'lost') this.#lost = true;
    this.#abort.abort(reason);
  }

  get interruption(): Interruption | undefined {
    if (this.#lost) return 'lost';
    return this.signal.reason === 'shutdown' ? 'shutdown' : undefined;
  }

  get isCancelled(): boolean {
    const reason: unknown = this.signal.reason;
    return reason instanceof DeployError && reason.code === 'cancelled';
  }

  /** What FlukeDeploy itself has to say. */
  log(level: LogLevel, message: string, metadata?: EventMetadata): void {
    this.emit(createDeploymentLog({ ...this.place(), level, message, ...(metadata && { metadata }) }));
  }

  /** A line of a program's output; beyond the limits they are counted only. */
  readonly output = (line: string): void => {
    this.#lines++;
    if (this.#lines - this.#cut <= LIMITS.lines_per_phase && this.#waiting.length < MAX_WAITING) {
      this.emit(createDeploymentLog({ ...this.place(), message: this.#maskLine(printable(line)) }));
    } else {
      this.#cut++;
    }
  };

  readonly bounded = (text: string, length: number): string => boundedText(this.#masker, text, length);

  /** Time and place of an entry made now, for the builders of `log-entry`. */
  place(): { at: string; phase: Phase; attempt: number } {
    return { at: new Date().toISOString(), phase: this.phase, attempt: this.attempt };
  }

  emit(draft: LogDraft): void {
    this.#waiting.push({ draft });
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  /** A fact that is written along with the lines, in their order: nothing waits for it. */
  note(fact: Fact): void {
    this.#waiting.push({ fact });
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  /** Writes a fact in the midst of the phase. @throws Error when the phase has been lost to another worker */
  async append(fact: Fact): Promise<void> {
    await this.#flush();
    const appended = await this.#write([{ fact }], false);
    if (appended === undefined) throw new Error('the phase was lost');
  }

  succeed(outputs: PhaseOutputs): Promise<Appended | undefined> {
    return this.#commit({
      type: 'phase_succeeded',
      phase: this.phase,
      attempt: this.attempt,
      outputs,
      at: new Date().toISOString(),
    });
  }

  fail(error: unknown): Promise<Appended | undefined> {
    const stack = error instanceof Error && !(error instanceof DeployError) ? error.stack : undefined;
    const fact = {
      type: 'phase_failed',
      phase: this.phase,
      attempt: this.attempt,
      error: toFailure(error),
      at: new Date().toISOString(),
    } as const;
    return this.#commit(fact, stack);
  }

  /** Gives the phase back for another worker to run it again. */
  release(reason: string): Promise<Appended | undefined> {
    return this.#commit({
      type: 'phase_released',
      phase: this.phase,
      attempt: this.attempt,
      reason,
      at: new Date().toISOString(),
    });
  }

  async #commit(fact: Fact, stack?: string): Promise<Appended | undefined> {
    if (this.#cut > 0) this.log('warn', `${this.#cut} lines of output were left out`);
    await this.#flush();
    if (this.#unwritten && fact.type === 'phase_succeeded') return this.fail(this.#unwritten);
    return this.#write([{ fact, stack }], true);
  }

  /** Lines in order, one write at a time, in bounded batches. */
  #flush(): Promise<unknown> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing
      .then(async () => {
        while (this.#waiting.length > 0) {
          const batch = this.#waiting.splice(0, BATCH);
          if (!(await this.#write(batch, false))) this.#waiting.length = 0;
        }
      })
      .catch((error: unknown) => {
        this.#waiting.length = 0;
        this.#unwritten = new DeployError('internal', 'The log could not be written.', { cause: error });
        this.stop(this.#unwritten);
      });
    return this.#writing;
  }

  /** The store being away is waited out: until the lease is lost, the phase and its lines are still ours. */
  async #write(items: readonly AppendItem[], release: boolean): Promise<Appended | undefined> {
    const batch = ++this.#batch;
    while (this.interruption !== 'lost') {
      try {
        const append = { deployment_id: this.record.id, fence: this.claim.fence, batch, items, release };
        const appended = await this.logbook.append(append, this.#masker);
        if (appended === undefined) this.stop('lost');
        else this.#state = appended.state;
        return appended;
      } catch (error) {
        if (!(error instanceof DeployError && error.code === 'unavailable')) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }
}
