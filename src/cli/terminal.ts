/** Where a command reads and writes: results on stdout, everything about the way there on stderr. */
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { printableJson } from './printable.js';
import { Settings } from './settings.js';

export type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';
export type Paint = (style: Style, text: string) => string;

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type Input = Readable & { readonly isTTY?: boolean };

/** The process a command runs in, or what stands for it in a test. */
export interface Host {
  readonly settings: Settings;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
}

const CLEAR_LINE = '\r\u001b[2K';

export class Terminal {
  #footer = '';
  readonly paint: Paint;
  /** Whether a line can be drawn again and again. */
  readonly live: boolean;

  constructor(private readonly host: Host) {
    const isTerminal = host.stdout.isTTY === true;
    this.live = isTerminal && !host.settings.dumb;
    const colored = isTerminal && host.settings.color;
    this.paint = colored ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
  }

  get columns(): number {
    return this.host.stdout.columns ?? 80;
  }

  /** The line that stays below everything printed, until it is set to nothing; for live terminals only. */
  set footer(line: string) {
    if (line !== '' || this.#footer !== '') this.host.stdout.write(CLEAR_LINE + line);
    this.#footer = line;
  }

  print(lines: readonly string[]): void {
    this.#aboveFooter(this.host.stdout, lines.map((line) => `${line}\n`).join(''));
  }

  /** One document on one line. */
  json(value: unknown): void {
    this.print([printableJson(value)]);
  }

  note(text: string): void {
    this.#aboveFooter(this.host.stderr, `${text}\n`);
  }

  #aboveFooter(output: Output, text: string): void {
    if (this.#footer === '') {
      output.write(text);
      return;
    }
    this.host.stdout.write(CLEAR_LINE);
    output.write(text);
    this.host.stdout.write(this.#footer);
  }
}

/** The first Ctrl-C ends the command properly, the second one at once. */
export function processHost(): Host {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  // Whoever read us has had enough: `flukedeploy logs … | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(128 + 13);
  });
  const { stdin, stdout, stderr } = process;
  return { settings: new Settings(), stdin, stdout, stderr, interrupted: interrupt.signal };
}
