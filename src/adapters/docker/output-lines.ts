/** Makes plain lines of what programs print for terminals: no colours, no cursor tricks, no overwritten progress. */
import { LIMITS } from '../../domain/limits.js';

// CSI sequences (colours, cursor), OSC sequences (titles, links) and the other two-character escapes.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// What is left of control characters, but tabs.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** The lines of a finished text. */
export function plainLines(text: string): string[] {
  return text.split('\n').map(plainLine).filter(Boolean);
}

/** The line as a terminal would show it in the end: what stands before a lone carriage return was overwritten. */
export function plainLine(line: string): string {
  const shown = line.trimEnd().split('\r').at(-1) ?? '';
  return shown.replace(ESCAPES, '').replace(CONTROLS, '').trimEnd();
}

/** Puts chunks together to lines. A line too long is not given out in pieces: half a secret is not known as one. */
export class LineSplitter {
  #rest = '';

  constructor(private readonly output: (line: string) => void) {}

  write(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LIMITS.unmasked_length);
    lines.forEach((line) => this.give(line));
  }

  /** Gives out the last line when it had no end. */
  end(): void {
    const rest = this.#rest;
    this.#rest = '';
    this.give(rest);
  }

  private give(line: string): void {
    const plain = plainLine(line);
    if (plain) this.output(plain);
  }
}
