import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../domain/limits.js';
import { LineSplitter, plainLine, plainLines } from './output-lines.js';

describe('plainLine', () => {
  it.each([
    ['\u001b[31mred\u001b[0m text', 'red text'],
    ['10 %\r20 %\r100 %', '100 %'],
    ['done\r', 'done'],
    ['\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b[2K\u001b[1Gprogress', 'progress'],
    ['tab\tstays, bell\u0007 goes', 'tab\tstays, bell goes'],
    ['    indented   ', '    indented'],
  ])('%j', (line, plain) => {
    expect(plainLine(line)).toBe(plain);
  });
});

it('plainLines leaves out what is empty', () => {
  expect(plainLines('one\n\n\u001b[0m\r\ntwo\n')).toEqual(['one', 'two']);
});

describe('LineSplitter', () => {
  it('gives the same lines, however the text is cut', () => {
    const text = 'one\ntwo \u001b[1mbold\u001b[0m\n\nlast without end';
    for (let size = 1; size <= text.length; size++) {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => lines.push(line));
      for (let at = 0; at < text.length; at += size) splitter.write(text.slice(at, at + size));
      splitter.end();
      expect(lines).toEqual(['one', 'two bold', 'last without end']);
    }
  });

  it('keeps a line together, and no more of it than a log may show', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    const start = 'x'.repeat(LIMITS.log_line_length - 3);
    splitter.write(start);
    splitter.write('secret');
    for (let more = 0; more < 100; more++) splitter.write('y'.repeat(LIMITS.log_line_length));
    splitter.write('\nnext\n');
    const [long = '', ...others] = lines;
    expect(long.startsWith(`${start}secrety`)).toBe(true);
    expect(long.length).toBeLessThan(10 * LIMITS.log_line_length);
    expect(others).toEqual(['next']);
  });
});
