/** Bodies of answers, of which nobody knows how long they are. */
import type { IncomingMessage } from 'node:http';

interface Beginning {
  readonly bytes: Buffer;
  readonly cut: boolean;
  /** Why the body ended before its end. */
  readonly broken?: unknown;
}

/** The first bytes of the body, or as many of them as came. */
export async function beginning(response: IncomingMessage, most: number): Promise<Beginning> {
  const chunks: Buffer[] = [];
  let length = 0;
  const bytes = () => Buffer.concat(chunks).subarray(0, most);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) return { bytes: bytes(), cut: true };
    }
    return { bytes: bytes(), cut: false };
  } catch (broken) {
    return { bytes: bytes(), cut: false, broken };
  }
}

/** How much of the body the result of a probe may quote. */
const QUOTED_BYTES = 1024;

/** The first kilobyte in one line. The status is known, which is what counts: a body that breaks off changes nothing. */
export async function quoted(response: IncomingMessage): Promise<string> {
  const { bytes } = await beginning(response, QUOTED_BYTES);
  const line = bytes
    .toString()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line || '(empty body)';
}

/** Whatever else the service would send, and the abort that ends it, is nobody's concern any more. */
export function leave(response: IncomingMessage): void {
  response.on('error', () => undefined).destroy();
}
