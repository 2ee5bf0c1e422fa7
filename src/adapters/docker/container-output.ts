/** Follows what a container prints on its two outputs, as plain lines, from its beginning until it ends. */
import { StringDecoder } from 'node:string_decoder';
import type Docker from 'dockerode';
import type { OutputLine } from '../../domain/ports.js';
import { frames } from './multiplexed.js';
import { LineSplitter } from './output-lines.js';
import { unlessGone } from './swarm-services.js';

/** Nothing where the container is gone, or is another Engine's. Only what is read is taken from the Engine: nothing piles up. */
export async function followOutput(
  docker: Docker,
  containerId: string,
  output: OutputLine,
  signal: AbortSignal,
): Promise<void> {
  const options = { follow: true, stdout: true, stderr: true, abortSignal: signal } as const;
  // Each output has lines of its own: a half one is not completed by the other's.
  const texts = { stdout: new OutputText(output), stderr: new OutputText(output) };
  // A busy Engine ends its followers with the container, though they have not got everything. So it is asked again, until nothing is new.
  for (let times = 1, isNew = true; times <= 2 || isNew; times++) {
    const log = await unlessGone(() => docker.getContainer(containerId).logs(options), undefined);
    if (log === undefined) break;
    isNew = false;
    texts.stdout.rewind();
    texts.stderr.rewind();
    for await (const { source, bytes } of frames(log as unknown as AsyncIterable<Buffer>)) {
      if (texts[source].write(bytes)) isNew = true;
    }
  }
  texts.stdout.end();
  texts.stderr.end();
}

/** Bytes of one output as lines, also where a character is cut in two. */
class OutputText {
  readonly #decoder = new StringDecoder();
  readonly #lines: LineSplitter;
  #taken = 0;
  /** Where the output has been read to this time. */
  #at = 0;

  constructor(output: OutputLine) {
    this.#lines = new LineSplitter(output);
  }

  /** The output comes once more from its beginning: what was taken is not taken again. */
  rewind(): void {
    this.#at = 0;
  }

  /** Answers whether any of it was new. */
  write(bytes: Buffer): boolean {
    const fresh = bytes.subarray(Math.max(0, this.#taken - this.#at));
    this.#at += bytes.length;
    if (fresh.length === 0) return false;
    this.#taken += fresh.length;
    this.#lines.write(this.#decoder.write(fresh));
    return true;
  }

  end(): void {
    this.#lines.write(this.#decoder.end());
    this.#lines.end();
  }
}
