/** The one table of errors: every row is fit to be published. */
import { describe, expect, it } from '@jest/globals';
import { DeployError, errorRow, ERRORS, toFailure, type ErrorCode } from './errors.js';

const codes = Object.keys(ERRORS) as ErrorCode[];

describe.each(codes)('%s', (code) => {
  const { title, hint, http, retryable } = errorRow(code);

  it('is a code with a sentence, and its hint is one too', () => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(title).toMatch(/^[A-Za-z][^\n]*[^.]\.$/);
    if (hint !== undefined) expect(hint).toMatch(/^[A-Z][^\n]*[^.?][.?]$/);
  });

  it('is answered with a status of the contract, or not at all', () => {
    expect([undefined, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503]).toContain(http);
    // Where the status tells a client to come back, coming back must be able to help.
    if (http === 429 || http === 500 || http === 503) expect(retryable).toBe(true);
  });

  it('makes a failure that says the same as the table', () => {
    expect(new DeployError(code).toFailure()).toEqual({ code, message: title, retryable, ...(hint && { hint }) });
  });
});

describe('the table', () => {
  it('says of exactly these that trying again may help', () => {
    expect(codes.filter((code) => errorRow(code).retryable).sort()).toEqual([
      'acme_unreachable',
      'docker_unavailable',
      'edge_unavailable',
      'git_unreachable',
      'internal',
      'push_failed',
      'rate_limited_by_policy',
      'registry_unreachable',
      'scan_failed',
      'service_changed',
      'too_many_requests',
      'unavailable',
    ]);
  });

  it('gives no two codes the same title', () => {
    expect(new Set(codes.map((code) => errorRow(code).title)).size).toBe(codes.length);
  });
});

describe('toFailure', () => {
  it('keeps message and evidence of our own errors', () => {
    const error = new DeployError('build_failed', 'Step 3 failed.', { evidence: ['npm ERR!'] });
    expect(toFailure(error)).toMatchObject({ code: 'build_failed', message: 'Step 3 failed.', evidence: ['npm ERR!'] });
    expect(toFailure(new DeployError('build_failed', undefined, { evidence: [] }))).not.toHaveProperty('evidence');
  });

  it.each([
    [new TypeError('x is undefined'), 'Unexpected: x is undefined'],
    ['just a text', 'Unexpected: just a text'],
    [undefined, 'Unexpected: undefined'],
  ])('makes of %p an internal failure without its stack', (thrown, message) => {
    expect(toFailure(thrown)).toEqual({ code: 'internal', message, retryable: true });
  });
});
