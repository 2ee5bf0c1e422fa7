/** The three ways to show a running deployment: live in a terminal, line by line, and as JSON lines. */
import type { UnifiedLogEntry } from '../domain/log-entry.js';
import type { DeploymentAnswer } from './answers.js';
import type { Watcher } from './follow.js';
import { entryLines, phaseLine, queueText } from './render.js';
import type { Terminal } from './terminal.js';

const REDRAW_MS = 250;

export function watcherFor(terminal: Terminal, json: boolean): Watcher {
  if (json) return new JsonWatcher(terminal);
  return terminal.live ? new LiveWatcher(terminal) : new LineWatcher(terminal);
}

/** The log scrolls, and the list of phases stays below it. */
class LiveWatcher implements Watcher {
  #deployment: DeploymentAnswer | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly terminal: Terminal) {
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  entry(entry: UnifiedLogEntry): void {
    this.terminal.print(entryLines(entry, this.terminal.paint));
  }

  deployment(deployment: DeploymentAnswer): void {
    this.#deployment = deployment;
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.terminal.footer = '';
  }

  /** A line that wraps could not be cleared again, so it leaves the last column free. */
  #draw(): void {
    if (this.#deployment === undefined) return;
    const { paint, columns } = this.terminal;
    this.terminal.footer = phaseLine(this.#deployment, Date.now(), paint, columns - 1);
  }
}

class LineWatcher implements Watcher {
  #queue = '';

  constructor(private readonly terminal: Terminal) {}

  entry(entry: UnifiedLogEntry): void {
    this.terminal.print(entryLines(entry, this.terminal.paint));
  }

  /** What happens to phases is in the log; the way through the queue is not. */
  deployment(deployment: DeploymentAnswer): void {
    const queue = deployment.status === 'pending' ? queueText(deployment) : '';
    if (queue !== '' && queue !== this.#queue) this.terminal.print([`[deployment] ${queue}`]);
    this.#queue = queue;
  }

  end(): void {
    // Every line has been written.
  }
}

class JsonWatcher implements Watcher {
  constructor(private readonly terminal: Terminal) {}

  entry(entry: UnifiedLogEntry): void {
    this.terminal.json(entry);
  }

  deployment(): void {
    // The deployment is the last line, once it has ended.
  }

  end(): void {
    // Every line has been written.
  }
}
