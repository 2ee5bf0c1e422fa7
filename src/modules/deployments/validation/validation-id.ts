/** The name under which a validation has its folder, image and jobs. Its time is in it: what a crash has left can be told from what is in use. */
import { decodeTime, ulid } from 'ulid';
import { LIMITS } from '../../../domain/limits.js';

const PREFIX = 'val-';
const FORM = /^val-([0-7][0-9a-z]{25})$/;
/** For taking everything away after its time is up. */
const MARGIN_MS = 300_000;

export function newValidationId(): string {
  return PREFIX + ulid().toLowerCase();
}

export function isValidation(id: string): boolean {
  return FORM.test(id);
}

/** Whether it is a validation that may still be at work. */
export function isUnderWay(id: string, now = Date.now()): boolean {
  const begun = FORM.exec(id)?.[1];
  if (begun === undefined) return false;
  return now - decodeTime(begun.toUpperCase()) < LIMITS.validation_seconds * 1000 + MARGIN_MS;
}
