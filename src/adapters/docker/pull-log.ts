/** Tells a pull or push by the changes of its layers' states: the Engine sends thousands of progress bars. */
import type { OutputLine } from '../../domain/ports.js';
import type { EngineEvent } from './engine-stream.js';

export class PullLog {
  readonly #states = new Map<string, string>();

  constructor(private readonly output: OutputLine) {}

  take({ id, status }: EngineEvent): void {
    if (status === undefined) return;
    if (id !== undefined && this.#states.get(id) === status) return;
    if (id !== undefined) this.#states.set(id, status);
    this.output(id === undefined ? status : `${id}: ${status}`);
  }
}
