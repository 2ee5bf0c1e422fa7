import { describe, expect, it } from '@jest/globals';
import { isContainedLink, pathProblem, plainPath } from './contained-path.js';

describe('pathProblem', () => {
  it.each(['a', './a', 'a/b.c', '..a', 'a..', 'a/...', 'ä/日本', "it's", '.', ''])('allows %j', (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each([
    ['/etc/passwd', 'is absolute'],
    ['//server/share', 'is absolute'],
    ['\\windows', 'is absolute'],
    ['C:\\windows', 'is absolute'],
    ['c:file', 'is absolute'],
    ['..', 'has .. in its path'],
    ['./../x', 'has .. in its path'],
    ['a/../../b', 'has .. in its path'],
    ['a/..', 'has .. in its path'],
    ['..\\x', 'has .. in its path'],
    ['a\\..\\..\\x', 'has .. in its path'],
    ['a\0b', 'holds control characters'],
    ['a\nb', 'holds control characters'],
    ['a\u009bb', 'holds control characters'],
    ['a/'.repeat(600), 'is too long'],
    ['a'.repeat(256), 'is too long'],
  ])('refuses %j', (path, problem) => {
    expect(pathProblem(path)).toBe(problem);
  });
});

it('plainPath drops what says nothing', () => {
  expect(plainPath('./a//b/./c/')).toBe('a/b/c');
  expect(plainPath('./')).toBe('');
});

describe('isContainedLink', () => {
  it.each([
    ['link', 'file'],
    ['link', './file'],
    ['link', '.'],
    ['lib/link', '../other/file'],
    ['a/b/link', '../..'],
    ['a/b/link', '.././/../file'],
    ['link', '..file'],
  ])('%s -> %s stays inside', (path, target) => {
    expect(isContainedLink(path, target)).toBe(true);
  });

  it.each([
    ['link', ''],
    ['link', '/etc/passwd'],
    ['link', '..'],
    ['link', './../x'],
    ['a/link', '../../x'],
    ['a/link', '..//../x'],
    ['a/link', '..\\..\\x'],
    // Where a/up is a link to `.`, a/up/../.. is outside although it reads as inside.
    ['link', 'a/up/../../..'],
    ['link', 'a/..'],
    ['link', 'a\nb'],
  ])('%j -> %j may leave', (path, target) => {
    expect(isContainedLink(path, target)).toBe(false);
  });

  it('reads a hostile target in linear time', () => {
    expect(isContainedLink('link', `${'./'.repeat(50_000)}..`)).toBe(false);
  });
});
