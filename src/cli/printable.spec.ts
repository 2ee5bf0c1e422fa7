import { describe, expect, it } from '@jest/globals';
import { printable, printableJson, printableLines } from './printable.js';

describe('printable', () => {
  it.each([['plain text, ünïcödé ✓ 日本\ttab\nnewline'], ['[1mnot a sequence without its escape']])(
    'leaves %j as it is',
    (text) => {
      expect(printable(text)).toBe(text);
    },
  );

  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['cursor and screen', 'a\u001b[2J\u001b[10;20H\u001b[?25lb', 'ab'],
    ['titles', '\u001b]0;evil\u0007ok', 'ok'],
    ['links', '\u001b]8;;http://evil.example\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['device strings', 'a\u001bP1;2|q\u001b\\b', 'ab'],
    ['8-bit sequences', 'a\u009b31mb\u009d0;t\u009cc', 'abc'],
    ['short escapes', 'a\u001bcb\u001b(0c', 'abc'],
    ['sequences that never end', 'a\u001b]0;evil', 'a'],
    ['a lone escape', 'a\u001b', 'a'],
    ['backspace, bell, delete', 'a\bb\u0007c\u007f', 'abc'],
    ['turned writing', 'a\u202egnp.exe', 'agnp.exe'],
  ])('takes out %s', (_name, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('turns a carriage return into a line of its own, so that nothing is written over', () => {
    expect(printableLines('secret\roverwritten\r\nnext\n')).toEqual(['secret', 'overwritten', 'next']);
  });

  it('takes time in proportion to the text only', () => {
    expect(printable('\u001b]'.repeat(200_000))).toBe('');
    expect(printable('\u001b[0;'.repeat(200_000))).toBe('');
  });
});

describe('printableJson', () => {
  it('means the same and holds no control character', () => {
    const value = { message: 'a\u001b[31m\u009b2J\u007f\u202e\n' };
    const json = printableJson(value);
    expect(JSON.parse(json)).toEqual(value);
    expect(json).toMatch(/^[\x20-\x7e]+$/);
  });
});
