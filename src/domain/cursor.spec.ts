/** A cursor comes back as the position it was made of, and nothing else passes for one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCursor, encodeCursor } from './cursor.js';

const epochs = fc.stringMatching(/^[a-z0-9]{1,16}$/);
const positions = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe('the cursor', () => {
  it('gives back the position that it stands for, up to the largest', () => {
    fc.assert(
      fc.property(epochs, positions, (epoch, position) => {
        expect(decodeCursor(encodeCursor({ epoch, position }))).toEqual({ epoch, position });
      }),
    );
    const last = { epoch: 'e', position: Number.MAX_SAFE_INTEGER };
    expect(decodeCursor(encodeCursor(last))).toEqual(last);
  });

  it('needs no escaping in a URL', () => {
    fc.assert(
      fc.property(epochs, positions, (epoch, position) => {
        const cursor = encodeCursor({ epoch, position });
        expect(encodeURIComponent(cursor)).toBe(cursor);
      }),
    );
  });

  it.each([
    '',
    '.',
    'e',
    'e.',
    '.1',
    'e.1.2',
    'E.1',
    'e.-1',
    'e.1 ',
    'e.1\n',
    'e.é',
    `${'e'.repeat(17)}.1`,
    `e.${'1'.repeat(12)}`,
  ])('refuses %j', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow('The cursor was not given out by this server.');
  });

  it('refuses, or reads without failing otherwise, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(decodeCursor(text).position).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'cursor_invalid' });
        }
      }),
    );
  });
});
