import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMasker } from './masking.js';

const encode = (text: string) => Buffer.from(text).toString('base64');
const wrap = (text: string, width: number) => text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];

/** Of up to nine lines, each up to about twice as long as a line of base64. */
const texts = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 90 }), { minLength: 1, maxLength: 9 })
  .map((lines) => lines.join('\n').trim());

describe('base64 that a tool has broken into lines', () => {
  it.each([
    [76, 'nothing', ''],
    [76, 'a line feed', '\n'],
    [64, 'nothing', ''],
    [64, 'a line feed', '\n'],
  ])('of %i characters tells nothing of a secret that %s follows', (width, _what, after) => {
    const wrapped = texts.filter((text) => encode(text).length > width);
    fc.assert(
      fc.property(wrapped, (secret) => {
        const masker = createMasker([secret]);
        const told = wrap(encode(secret + after), width).map((line) => masker.mask(line).replaceAll('***', ''));
        // What is left over in the last line.
        for (const line of told) expect(line.length).toBeLessThan(12);
        expect(told.slice(0, -1).join('')).toBe('');
      }),
    );
  });

  it('of another text stays as it is', () => {
    const masker = createMasker([`sk-${'0123456789'.repeat(9)}`]);
    const lines = wrap(encode('what anybody may read, '.repeat(9)), 76);
    expect(lines.map((line) => masker.mask(line))).toEqual(lines);
  });
});
