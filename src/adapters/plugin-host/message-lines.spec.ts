import { describe, expect, it } from '@jest/globals';
import { MessageLines } from './message-lines.js';

function read(longest: number, ...chunks: string[]): string[] {
  const seen: string[] = [];
  const lines = new MessageLines(
    longest,
    (line) => seen.push(line),
    () => seen.push('too long'),
  );
  for (const chunk of chunks) lines.write(Buffer.from(chunk));
  return seen;
}

describe('MessageLines', () => {
  it('puts lines together and takes them apart, whatever the chunks', () => {
    expect(read(10, 'a', 'b\nc\n\nd', 'e', '\nf')).toEqual(['ab', 'c', '', 'de']);
  });

  it('says at once when a line gets too long, and never gives it out', () => {
    expect(read(3, 'abc\nab', 'cd')).toEqual(['abc', 'too long']);
    expect(read(3, 'abcd\n')).toEqual(['too long']);
  });
});
