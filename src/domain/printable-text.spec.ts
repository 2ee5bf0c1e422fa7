import { expect, it } from '@jest/globals';
import { printableDeep } from './printable-text.js';

it('leaves nothing that PostgreSQL cannot store, not even in names', () => {
  const value = { 'a\u0000b': ['x\u0000y', { '\u001b[31mred': '\ud800' }], n: 1 };
  expect(printableDeep(value)).toEqual({ ab: ['xy', { red: '\ufffd' }], n: 1 });
});
