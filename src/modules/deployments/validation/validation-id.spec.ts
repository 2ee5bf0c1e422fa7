import { expect, it } from '@jest/globals';
import { LIMITS } from '../../../domain/limits.js';
import { isUnderWay, isValidation, newValidationId } from './validation-id.js';

const LONGEST_MS = LIMITS.validation_seconds * 1000;

it('tells for how long what bears it may be in use', () => {
  const id = newValidationId();
  expect(isValidation(id)).toBe(true);
  expect(isUnderWay(id)).toBe(true);
  expect(isUnderWay(id, Date.now() + LONGEST_MS)).toBe(true);
  expect(isUnderWay(id, Date.now() + 2 * LONGEST_MS)).toBe(false);
});

it.each([
  'dep-01jd0000000000000000000000',
  'val-',
  'val-short',
  'val-01JD0000000000000000000000',
  'val-z1jd0000000000000000000000',
])('%s is none of a validation', (id) => {
  expect(isValidation(id)).toBe(false);
  expect(isUnderWay(id)).toBe(false);
});
