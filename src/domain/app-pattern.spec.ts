import { describe, expect, it } from '@jest/globals';
import { matchesPattern } from './app-pattern.js';

describe('app patterns', () => {
  it.each([
    ['web', 'web'],
    ['web-shop', 'web-*'],
    ['web-', 'web-*'],
    ['shop-api', '*-api'],
    ['web-shop-api', 'web-*-api'],
    ['web--api', 'web-*-api'],
    ['anything', '*'],
    ['anything', '**'],
    ['a-b-a-b', 'a*b*b'],
  ])('%s matches %s', (name, pattern) => {
    expect(matchesPattern(name, pattern)).toBe(true);
  });

  it.each([
    ['webshop', 'web-*'],
    ['my-web-shop', 'web-*'],
    ['web', 'web2'],
    ['web-api', 'web-*-api'],
    ['aba', 'ab*ba'],
    ['webXshop', 'web.shop'],
    ['', 'a'],
    ['abc', ''],
  ])('%s does not match %s', (name, pattern) => {
    expect(matchesPattern(name, pattern)).toBe(false);
  });

  it('agrees with a regular expression on all short names and patterns', () => {
    const words = (letters: string[], length: number): string[] =>
      length === 0
        ? ['']
        : words(letters, length - 1).flatMap((word) => ['', ...letters].map((letter) => word + letter));
    for (const pattern of new Set(words(['a', 'b', '*'], 4))) {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
      for (const name of new Set(words(['a', 'b'], 4))) {
        expect([name, pattern, matchesPattern(name, pattern)]).toEqual([name, pattern, expression.test(name)]);
      }
    }
  });
});
