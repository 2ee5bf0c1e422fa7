/** Server-sent events are read whole, wherever the network cuts them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { eventData } from './event-stream.js';

async function read(pieces: readonly Uint8Array[]): Promise<string[]> {
  const seen: string[] = [];
  for await (const data of eventData(Readable.from(pieces))) seen.push(data);
  return seen;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('eventData', () => {
  it('reads data and leaves the rest out', async () => {
    const stream =
      ': keepalive\n\nid: 1\nevent: message\ndata: {"a":1}\n\nretry: 5\ndata:one\r\ndata: two\r\n\r\ndata: unfinished';
    expect(await read([bytes(stream)])).toEqual(['{"a":1}', 'one\ntwo']);
  });

  it('does not care where the pieces end', async () => {
    const texts = ['{"message":"schön 🚀"}', 'plain'];
    const whole = bytes(texts.map((text) => `data: ${text}\n\n`).join(''));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (size) => {
        const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
          whole.subarray(index * size, (index + 1) * size),
        );
        expect(await read(pieces)).toEqual(texts);
      }),
    );
  });
});
