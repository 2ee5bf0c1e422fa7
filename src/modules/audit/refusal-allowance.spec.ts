import { describe, expect, it } from '@jest/globals';
import { RECORDS_PER_MINUTE, RefusalAllowance } from './refusal-allowance.js';

describe('the allowance of refusals', () => {
  const refuse = (allowance: RefusalAllowance<string>, who: string, times: number): number =>
    Array.from({ length: times }, (_, index) => allowance.admit(who, `${who} ${index}`)).filter(Boolean).length;

  it('lets a minute have so many of one, and tells how many more there were, with the last', () => {
    const allowance = new RefusalAllowance<string>();
    expect(refuse(allowance, 'a', RECORDS_PER_MINUTE + 3)).toBe(RECORDS_PER_MINUTE);
    expect(refuse(allowance, 'b', 1)).toBe(1);
    expect(allowance.next()).toEqual([{ count: 3, last: `a ${RECORDS_PER_MINUTE + 2}` }]);
  });

  it('begins anew with each minute', () => {
    const allowance = new RefusalAllowance<string>();
    refuse(allowance, 'a', RECORDS_PER_MINUTE + 1);
    allowance.next();
    expect(refuse(allowance, 'a', 1)).toBe(1);
    expect(allowance.next()).toEqual([]);
  });

  it('is bounded, however many addresses there are', () => {
    const allowance = new RefusalAllowance<string>();
    const admitted = Array.from({ length: 20_000 }, (_, index) => refuse(allowance, `address ${index}`, 1));
    expect(admitted.filter(Boolean)).toHaveLength(100 + RECORDS_PER_MINUTE);
    expect(allowance.next()).toEqual([{ count: 20_000 - 100 - RECORDS_PER_MINUTE, last: 'address 19999 0' }]);
  });
});
