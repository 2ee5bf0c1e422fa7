import { describe, expect, it } from '@jest/globals';
import { hashToken, isApiToken, isSessionToken, newApiToken, newSessionToken } from './credentials.js';

describe('API tokens', () => {
  it('have a prefix, their id, a secret and a checksum', () => {
    const { id, token } = newApiToken();
    expect(token).toMatch(new RegExp(`^fd_${id}_[\\w-]{43}_[0-9a-f]{8}$`));
    expect(isApiToken(token)).toBe(true);
    expect(isSessionToken(token)).toBe(false);
  });

  it('are known as mistyped whichever character is wrong', () => {
    const { token } = newApiToken();
    for (const index of token.split('').keys()) {
      const other = token[index] === 'a' ? 'b' : 'a';
      expect(isApiToken(token.slice(0, index) + other + token.slice(index + 1))).toBe(false);
    }
  });

  it.each(['', 'fd_', 'fd_a_b_c', ` ${newApiToken().token}`, `${newApiToken().token}\n`, newSessionToken()])(
    'are not %j',
    (text) => {
      expect(isApiToken(text)).toBe(false);
    },
  );

  it('are all different, and so are their hashes', () => {
    const tokens = Array.from({ length: 100 }, () => newApiToken().token);
    expect(new Set(tokens.map(hashToken)).size).toBe(100);
  });
});

describe('session tokens', () => {
  it('are 43 opaque characters', () => {
    expect(isSessionToken(newSessionToken())).toBe(true);
    expect(isSessionToken(`${newSessionToken()}x`)).toBe(false);
  });
});
