import { expect, it } from '@jest/globals';
import { deadRanges } from './dead-ranges.js';

it('neighbours that died of the same are one letter, all others are letters of their own', () => {
  const dead = (error: string, ...sequences: number[]) => sequences.map((sequence) => ({ sequence, error }));
  expect(deadRanges([...dead('a', 3, 4, 5), ...dead('b', 6), ...dead('b', 8, 9)])).toEqual([
    { kind: 'log', first_sequence: 3, last_sequence: 5, error: 'a' },
    { kind: 'log', first_sequence: 6, last_sequence: 6, error: 'b' },
    { kind: 'log', first_sequence: 8, last_sequence: 9, error: 'b' },
  ]);
  expect(deadRanges([])).toEqual([]);
});
