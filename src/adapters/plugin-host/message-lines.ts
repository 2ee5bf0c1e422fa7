/** Cuts a stream of bytes into lines, and keeps at most one line's worth of it. */

const LINE_END = 0x0a;

export class MessageLines {
  #parts: Buffer[] = [];
  #length = 0;

  constructor(
    private readonly longest: number,
    private readonly line: (text: string) => void,
    private readonly tooLong: () => void,
  ) {}

  write(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, start)) {
      this.keep(chunk.subarray(start, end));
      start = end + 1;
      this.give();
    }
    this.keep(chunk.subarray(start));
  }

  private keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.longest) this.tooLong();
    else if (part.length > 0) this.#parts.push(part);
  }

  private give(): void {
    const whole = this.#length <= this.longest;
    const text = Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#length = 0;
    if (whole) this.line(text);
  }
}
