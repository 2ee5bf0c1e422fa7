import { describe, expect, it } from '@jest/globals';
import { ignoreRules } from './ignore-rules.js';

describe('ignoreRules', () => {
  it.each([
    ['', ['.git', 'node_modules'], ['src/.git', 'web/node_modules', '.gitignore', '.github', '.env']],
    ['dist', ['dist', 'web/dist'], ['dist2', 'dist.js', 'redist']],
    ['dist/', ['dist', 'web/dist'], ['distance']],
    ['/dist', ['dist'], ['web/dist']],
    ['./dist', ['dist'], ['web/dist']],
    ['web/dist', ['web/dist'], ['dist', 'a/web/dist']],
    ['*.log', ['a.log', 'x/y.log', '.log'], ['a.log.gz', 'alog']],
    ['logs/*.log', ['logs/a.log'], ['logs/x/a.log', 'a.log']],
    ['v?', ['v1', 'a/v2'], ['v', 'v10', 'v/']],
    ['**/cache', ['cache', 'a/cache', 'a/b/cache'], ['a/cached']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['z', 'b/a/z']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a/c']],
    ['a+(b)[c].d', ['a+(b)[c].d'], ['aab[c].d', 'a+(b)cxd']],
    ['# dist\n\n  tmp  \r\nout', ['tmp', 'out'], ['dist', '# dist']],
  ])('%j leaves out %j and keeps %j', (text, ignored, kept) => {
    const isIgnored = ignoreRules(text);
    expect([...ignored, ...kept].filter((path) => isIgnored(path))).toEqual(ignored);
  });

  it('says that exceptions are not understood, where silence would upload too little', () => {
    expect(() => ignoreRules('dist\n!dist/keep')).toThrow(/!dist\/keep .* not supported/);
  });
});
