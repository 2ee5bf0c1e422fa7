import { describe, expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import { followOutput } from './container-output.js';

type Source = 1 | 2;

function frame(source: Source, text: string): Buffer {
  const header = Buffer.from([source, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** An Engine whose answers end after so many bytes of the log, one after another; the last one goes for all that follow. */
async function followed(log: Buffer, ...lengths: number[]): Promise<string[]> {
  let asked = 0;
  const logs = async () => {
    const length = lengths[Math.min(asked++, lengths.length - 1)];
    return (async function* () {
      yield log.subarray(0, length);
    })();
  };
  const docker = { getContainer: () => ({ logs }) } as unknown as Docker;
  const lines: string[] = [];
  await followOutput(docker, 'any', (line) => lines.push(line), new AbortController().signal);
  return lines;
}

describe('the output of a container', () => {
  const log = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'wrong ü\n'), frame(1, 'o\nthree\n'), frame(2, 'half')]);
  const whole = ['one', 'wrong ü', 'two', 'three', 'half'];

  it('is asked for once more, and told once', async () => {
    expect(await followed(log, log.length)).toEqual(whole);
  });

  it('is whole wherever the Engine has ended its answer too early', async () => {
    for (let length = 0; length <= log.length; length++) {
      expect(await followed(log, length, log.length)).toEqual(whole);
    }
  });

  it('is whole where that happens again and again', async () => {
    const ends = [frame(1, 'one\ntw').length, frame(1, 'one\ntw').length + frame(2, 'wrong ü\n').length, log.length];
    expect(await followed(log, ...ends)).toEqual(whole);
  });
});
