/** What a model may read of untrusted text: all that can be seen of it, and nothing else. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fenced, jsonBytes, plain } from './untrusted-text.js';

describe('plain', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['line breaks', 'one\r\ntwo\u2028three', 'one twothree'],
    ['directions and joiners', 'a\u202Eb\u200Bc\u2066d', 'abcd'],
    ['tags', 'a\u{E0041}\u{E0042}b', 'ab'],
    ['variation selectors and fillers', 'a\u{E0161}\uFE0F\u034F\u3164b', 'ab'],
    ['C1 controls', 'a\u009bb', 'ab'],
  ])('leaves out %s', (_, text, expected) => {
    expect(plain(text)).toBe(expected);
  });

  it('says how much it has cut', () => {
    expect(plain('x'.repeat(700), 500)).toBe(`${'x'.repeat(500)}… (200 more characters)`);
  });

  it('never leaves anything hidden, and always whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        const clean = plain(text);
        expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u);
        expect(clean.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('fenced', () => {
  it('stays within its bytes, however they are escaped, and keeps whole lines', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 200 })),
        fc.constantFrom('first', 'last'),
        (lines, keep) => {
          const clean = lines.map((line) => plain(line));
          const { text, kept } = fenced(clean, 2_000, keep);
          expect(jsonBytes(text)).toBeLessThanOrEqual(2_000);
          const inside = text.split('\n').slice(1, -1);
          expect(inside).toEqual(keep === 'first' ? clean.slice(0, kept) : clean.slice(clean.length - kept));
        },
      ),
    );
  });

  it('ends by a mark that no line could know', () => {
    const [one, other] = [fenced(['a'], 500), fenced(['a'], 500)];
    expect(one.text).not.toBe(other.text);
  });
});
