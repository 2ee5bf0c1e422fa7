import { describe, expect, it } from '@jest/globals';
import { gitUrlProblem, isCommitId, isGitRef } from './git-address.js';

describe('gitUrlProblem', () => {
  it.each(['https://github.com/o/r', 'https://github.com/o/r.git', 'http://git.example.com:8080/a/b'])(
    'takes %s',
    (url) => {
      expect(gitUrlProblem(url)).toBeUndefined();
    },
  );

  it.each([
    ['', /not a URL/],
    ['github.com/o/r', /not a URL/],
    ['git@github.com:o/r.git', /not a URL/],
    [`https://h/${'x'.repeat(3_000)}`, /not a URL/],
    ['--upload-pack=id', /not a URL/],
    ['ssh://git@github.com/o/r', /https/],
    ['git://github.com/o/r', /https/],
    ['file:///etc', /https/],
    ['ext::sh -c id', /https/],
    ['https://token@github.com/o/r', /user or password/],
    ['https://u:p@github.com/o/r', /user or password/],
    ['https://github.com/o/r?x=1', /query/],
    ['https://github.com/o/r#main', /fragment/],
  ])('refuses %j', (url, problem) => {
    expect(gitUrlProblem(url)).toMatch(problem);
  });
});

it('isCommitId takes all 40 digits only', () => {
  const id = '0123456789abcdef0123456789abcdef01234567';
  expect([id, id.toUpperCase(), id.slice(1), `${id}0`, `${id}\n`].map(isCommitId)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

describe('isGitRef', () => {
  it.each([
    'main',
    'v1.2.3',
    'feature/a-b_c',
    'dependabot/npm/@types/node-24',
    'fix#12',
    'a+b=c',
    'refs/heads/main',
    '0',
  ])('takes %s', (ref) => {
    expect(isGitRef(ref)).toBe(true);
  });

  it.each([
    '',
    '-',
    '--upload-pack=id',
    '/a',
    'a/',
    'a//b',
    'a..b',
    'a.',
    '.a',
    'a/.b',
    '@',
    'a@{1}',
    'a.lock',
    'a.lock/b',
    'main;id',
    'a$(id)',
    'a`id`',
    'a b',
    'a\nb',
    'a\0b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a|b',
    "a'b",
    'a"b',
    'ä',
    'a'.repeat(256),
  ])('refuses %j', (ref) => {
    expect(isGitRef(ref)).toBe(false);
  });
});
