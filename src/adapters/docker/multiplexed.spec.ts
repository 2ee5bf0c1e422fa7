import { describe, expect, it } from '@jest/globals';
import { frames, lines } from './multiplexed.js';

function frame(source: 1 | 2, text: string): Buffer {
  const bytes = Buffer.from(text);
  const header = Buffer.from([source, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

const whole = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'problem\n'), frame(1, ''), frame(1, 'o\nend')]);

function cut(size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size));
}

async function* arriving(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
}

describe('frames', () => {
  it('are the same, however the network cuts them', async () => {
    for (let size = 1; size <= whole.length; size++) {
      const found = (await all(frames(arriving(cut(size))))).map(({ source, bytes }) => [source, bytes.toString()]);
      expect(found).toEqual([
        ['stdout', 'one\ntw'],
        ['stderr', 'problem\n'],
        ['stdout', ''],
        ['stdout', 'o\nend'],
      ]);
    }
  });

  it('that were not finished are dropped', async () => {
    expect(await all(frames([whole.subarray(0, -1)]))).toHaveLength(3);
  });
});

it('lines go over frames, and the last one needs no end', async () => {
  const text = Buffer.concat([frame(1, 'one\ntw'), frame(1, 'o\nend')]);
  expect(await all(lines(arriving([text])))).toEqual(['one', 'two', 'end']);
});
