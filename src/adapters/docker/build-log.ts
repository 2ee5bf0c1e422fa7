/** Makes readable lines of what a builder says: the classic one speaks text, BuildKit sends the states of its steps. */
import { LIMITS } from '../../domain/limits.js';
import type { OutputLine } from '../../domain/ports.js';
import { decodeStatus, secondsBetween, type Vertex } from './buildkit-status.js';
import type { EngineEvent } from './engine-stream.js';
import { LineSplitter } from './output-lines.js';
import { PullLog } from './pull-log.js';

interface Step {
  readonly number: number;
  readonly lines: LineSplitter;
  ended: boolean;
}

export class BuildLog {
  /** The id of the image, once it is built. */
  imageId: string | undefined;
  /** What the Engine said went wrong. */
  error: string | undefined;
  readonly #lastLines: string[] = [];
  readonly #steps = new Map<string, Step>();
  readonly #text = new LineSplitter((line) => this.say(line));
  readonly #pull = new PullLog((line) => this.say(line));

  constructor(private readonly output: OutputLine) {}

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  take(event: EngineEvent): void {
    const { id, stream, status, aux, error } = event;
    if (error !== undefined) this.error = error;
    else if (id === 'moby.buildkit.trace' && typeof aux === 'string') this.takeTrace(aux);
    else if (typeof aux === 'object' && aux.ID !== undefined) this.imageId = aux.ID;
    else if (stream !== undefined) this.#text.write(stream);
    else if (status !== undefined) this.#pull.take(event);
  }

  /** Gives out what is left of unfinished lines. */
  end(): void {
    this.#text.end();
    for (const { lines } of this.#steps.values()) lines.end();
  }

  private takeTrace(trace: string): void {
    const { vertexes, logs, warnings } = decodeStatus(trace);
    for (const vertex of vertexes) if (vertex.started) this.begin(vertex);
    for (const { vertex, msg } of logs) this.#steps.get(vertex)?.lines.write(Buffer.from(msg).toString());
    for (const vertex of vertexes) if (vertex.completed) this.finish(vertex);
    for (const { short } of warnings) this.say(`Warning: ${Buffer.from(short).toString()}`);
  }

  /** A step is sent again and again: it is told once. */
  private begin({ digest, name }: Vertex): void {
    if (this.#steps.has(digest)) return;
    const number = this.#steps.size + 1;
    this.#steps.set(digest, {
      number,
      lines: new LineSplitter((line) => this.say(`#${number} ${line}`)),
      ended: false,
    });
    this.say(`#${number} ${name}`);
  }

  private finish({ digest, cached, error, started, completed }: Vertex): void {
    const step = this.#steps.get(digest);
    if (!step || step.ended || !started || !completed) return;
    step.ended = true;
    step.lines.end();
    const end = cached ? 'cached' : `done in ${secondsBetween(started, completed).toFixed(1)} s`;
    this.say(`#${step.number} ${error ? `failed: ${error}` : end}`);
  }

  private say(line: string): void {
    if (this.#lastLines.push(line) > LIMITS.evidence_lines) this.#lastLines.shift();
    this.output(line);
  }
}
