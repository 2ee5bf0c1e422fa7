/** What a plugin prints leaves its process at once, as its messages do: a flood has to wait for the server and cannot pile up. */
import { Writable } from 'node:stream';
import { writeAll } from './host-link.js';

const OUTPUTS = { stdout: 1, stderr: 2 } as const;

/** Node's own streams would keep in memory what the server has not read. */
export function printAtOnce(): void {
  for (const [name, pipe] of Object.entries(OUTPUTS)) {
    const value = new Writable({
      write: (chunk: Buffer, _, written) => {
        writeAll(pipe, chunk);
        written();
      },
    });
    Object.defineProperty(process, name, { value });
  }
}
