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
  const log = await unlessGone(() => docker.getContainer(containerId).logs(options), undefined);
  if (log === undefined) return;
  // Each output has lines of its own: a half one is not completed by the other's.
  const texts = { stdout: new OutputText(output), stderr: new OutputText(output) };
  for await (const { source, bytes } of frames(log as unknown as AsyncIterable<Buffer>)) texts[source].write(bytes);
  texts.stdout.end();
  texts.stderr.end();
}

/** Bytes of one output as lines, also where a character is cut in two. */
class OutputText {
  readonly #decoder = new StringDecoder();
  readonly #lines: LineSplitter;

  constructor(output: OutputLine) {
    this.#lines = new LineSplitter(output);
  }

  write(bytes: Buffer): void {
    this.#lines.write(this.#decoder.write(bytes));
  }

  end(): void {
    this.#lines.write(this.#decoder.end());
    this.#lines.end();
  }
}
