/** What a run of Trivy has printed, kept within bounds. */
import { Writable } from 'node:stream';
import { LIMITS } from '../../domain/limits.js';

export interface TrivyOutcome {
  readonly succeeded: boolean;
  readonly stdout: string;
  /** It printed more than it may, and was stopped. */
  readonly overflowed: boolean;
  /** Of what it says about itself. */
  readonly lastLines: readonly string[];
}

const COMPLAINT_BYTES = 64 * 1024;

export class TrivyOutput {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  #complaints = '';

  constructor(
    private readonly limit: number,
    /** Called once there is too much. */
    private readonly stop: () => void,
  ) {}

  readonly stdout = sink((piece) => {
    this.#length += piece.length;
    if (this.#length <= this.limit) this.#pieces.push(piece);
    else this.stop();
  });

  readonly stderr = sink((piece) => {
    this.#complaints = (this.#complaints + piece.toString()).slice(-COMPLAINT_BYTES);
  });

  outcome(exitCode: number | null): TrivyOutcome {
    const overflowed = this.#length > this.limit;
    return {
      succeeded: exitCode === 0 && !overflowed,
      stdout: overflowed ? '' : Buffer.concat(this.#pieces).toString(),
      overflowed,
      lastLines: this.#complaints.split('\n').filter(Boolean).slice(-LIMITS.evidence_lines),
    };
  }
}

function sink(take: (piece: Buffer) => void): Writable {
  return new Writable({
    write(piece: Buffer, _, done) {
      take(piece);
      done();
    },
  });
}
