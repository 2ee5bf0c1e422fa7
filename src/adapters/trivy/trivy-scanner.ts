/** Known vulnerabilities and SBOMs by Trivy, wherever it can be had: the first place that has it is taken. */
import { DeployError } from '../../domain/errors.js';
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
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly runners: readonly TrivyRunner[]) {
    super();
  }

  override async available(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#place(signal))?.name;
  }

  override scan(reference: string, { sbom }: ScanOptions, signal: AbortSignal): Promise<ScanReport> {
    return this.#inTurn(async () => {
      const place = await this.#place(signal);
      if (place === undefined) throw new DeployError('scanner_missing');
      const report = await run(place, reportCommand(reference, place.runner.cacheFolder), signal);
      const vulnerabilities = read(place, report, readReport);
      const document = sbom ? await sbomOf(place, reference, signal) : undefined;
      return { scanner: place.name, vulnerabilities, ...(document && { sbom: document }) };
    }, signal);
  }

  async #place(signal: AbortSignal): Promise<Place | undefined> {
    for (const runner of this.runners) {
      const name = await runner.available(signal);
      if (name !== undefined) return { name, runner };
    }
    return undefined;
  }

  /** Trivy locks its cache: two at once get in each other's way. */
  #inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
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
