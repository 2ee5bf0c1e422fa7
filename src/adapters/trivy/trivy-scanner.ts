/** Known vulnerabilities and SBOMs by Trivy, wherever it can be had: the first place that has it is taken. */
import { once } from 'node:events';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { ImageScanner, type Sbom, type ScanOptions, type ScanReport } from '../../domain/ports.js';
import { reportCommand, sbomCommand, type TrivyCommand } from './trivy-command.js';
import type { TrivyOutcome } from './trivy-output.js';
import { readReport, readSbom } from './trivy-report.js';
import type { TrivyRunner } from './trivy-runner.js';

interface Place {
  readonly name: string;
  readonly runner: TrivyRunner;
}

export class TrivyScanner extends ImageScanner {
  /** Settles once nobody is before the next one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runners: readonly TrivyRunner[],
    private readonly seconds: { readonly wait: number; readonly scan: number } = {
      wait: LIMITS.scan_wait_seconds,
      scan: LIMITS.scan_seconds,
    },
  ) {
    super();
  }

  override async available(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#place(signal))?.name;
  }

  override scan(reference: string, { sbom }: ScanOptions, signal: AbortSignal): Promise<ScanReport> {
    const late = `The scan took longer than the ${this.seconds.scan} s that it may.`;
    return this.#inTurn(signal, () =>
      within(this.seconds.scan, late, signal, async (stop) => {
        const place = await this.#place(stop);
        if (place === undefined) throw new DeployError('scanner_missing');
        const report = await run(place, reportCommand(reference, place.runner.cacheFolder), stop);
        const vulnerabilities = read(place, report, readReport);
        const document = sbom ? await sbomOf(place, reference, stop) : undefined;
        return { scanner: place.name, vulnerabilities, ...(document && { sbom: document }) };
      }),
    );
  }

  async #place(signal: AbortSignal): Promise<Place | undefined> {
    for (const runner of this.runners) {
      const name = await runner.available(signal);
      if (name !== undefined) return { name, runner };
    }
    return undefined;
  }

  /** Trivy locks its cache: two at once get in each other's way. The wait is nothing of the time that the work may take. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise: over, resolve: leave } = Promise.withResolvers<unknown>();
    // Whoever gives up waiting leaves the line, and whoever comes after still waits for those before.
    this.#last = before.then(() => over);
    const late = `The scans before it took longer than the ${this.seconds.wait} s that it may wait for them.`;
    try {
      await within(this.seconds.wait, late, signal, async (stop) => {
        stop.throwIfAborted();
        await Promise.race([before, once(stop, 'abort')]);
        stop.throwIfAborted();
      });
      return await work();
    } finally {
      leave(undefined);
    }
  }
}

/** Gives the work a signal that aborts with `scan_failed` once its time is over. */
async function within<T>(
  seconds: number,
  late: string,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new DeployError('scan_failed', late)), seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, clock.signal]));
  } finally {
    clearTimeout(timer);
  }
}

async function sbomOf(place: Place, reference: string, signal: AbortSignal): Promise<Sbom | undefined> {
  const outcome = await place.runner.run(sbomCommand(reference, place.runner.cacheFolder), signal);
  if (outcome.overflowed) return undefined;
  return { format: 'cyclonedx', document: read(place, succeeded(place, outcome), readSbom) };
}

async function run(place: Place, command: TrivyCommand, signal: AbortSignal): Promise<TrivyOutcome> {
  return succeeded(place, await place.runner.run(command, signal));
}

/** Trivy is never told to end with a code of its own for what it finds: every other code than 0 is a failure. */
function succeeded({ name }: Place, outcome: TrivyOutcome): TrivyOutcome {
  if (outcome.succeeded) return outcome;
  const message = outcome.overflowed ? `${name} printed more than is read.` : `${name} could not scan the image.`;
  throw new DeployError('scan_failed', message, { evidence: outcome.lastLines });
}

function read<T>({ name }: Place, { stdout }: TrivyOutcome, reader: (json: string) => T): T {
  try {
    return reader(stdout);
  } catch (error) {
    throw new DeployError('scan_failed', `What ${name} has printed is not the JSON that was asked for.`, {
      cause: error,
    });
  }
}
