import { describe, expect, it } from '@jest/globals';
import { contextFindings } from './build-context.js';

const MEGABYTE = 1024 * 1024;
const LIMITS = { max_total_mb: 10, max_file_mb: 5, max_files: 4 };

const files = (...paths: readonly string[]) => paths.map((path) => ({ path, bytes: 1 }));

describe('limits', () => {
  it('names the biggest files when all together are too large', () => {
    const source = ['a', 'b', 'c'].map((path, index) => ({ path, bytes: (3 + index / 2) * MEGABYTE }));
    expect(contextFindings(source, LIMITS)).toEqual([
      {
        code: 'context_too_large',
        place: '.',
        message: 'The build is sent 10.5 MB, more than 10 MB: c (4.0 MB), b (3.5 MB), a (3.0 MB).',
      },
    ]);
  });

  it('names the files that are too large', () => {
    const source = [
      { path: 'small', bytes: 5 * MEGABYTE },
      { path: 'large', bytes: 5 * MEGABYTE + 1 },
    ];
    expect(contextFindings(source, { ...LIMITS, max_total_mb: 100 })).toEqual([
      { code: 'file_too_large', place: 'large', message: 'Larger than 5 MB: large (5.0 MB).' },
    ]);
  });

  it('names the fullest folders when there are too many files', () => {
    expect(contextFindings(files('a', 'd/1', 'd/2', 'd/e/3', 'f/4'), LIMITS)).toEqual([
      {
        code: 'context_too_many_files',
        place: '.',
        message: 'The build is sent 5 files, more than 4: d (3), a (1), f (1).',
      },
    ]);
  });

  it('takes what just fits', () => {
    const source = files('a', 'b', 'c', 'd').map((file) => ({ ...file, bytes: 2.5 * MEGABYTE }));
    expect(contextFindings(source, LIMITS)).toEqual([]);
  });
});

describe('advice', () => {
  it.each([
    ['context_unneeded', '.git', ['.git/config', '.git/HEAD']],
    ['context_unneeded', 'module/.git', ['module/.git']],
    ['context_unneeded', 'web/node_modules', ['web/node_modules/a/index.js', 'web/node_modules/b/node_modules/c']],
    ['context_unneeded', '.venv', ['.venv/bin/python']],
    ['context_sensitive', '.env', ['.env']],
    ['context_sensitive', 'api/.env.production', ['api/.env.production']],
    ['context_sensitive', 'tls/server.PEM', ['tls/server.PEM']],
    ['context_sensitive', 'id_ed25519', ['id_ed25519']],
  ])('%s: %s', (code, place, paths) => {
    const message = expect.stringMatching(`^The build is sent .*: ${place}\\.$`);
    expect(contextFindings(files(...paths), LIMITS)).toEqual([{ code, place, message }]);
  });

  it('counts what is alike', () => {
    expect(contextFindings(files('a.pem', 'b/c.key'), LIMITS)).toEqual([
      {
        code: 'context_sensitive',
        place: 'a.pem',
        message: 'The build is sent a key or certificate: a.pem, and 1 more like it.',
      },
    ]);
  });

  it.each(['.env.example', 'environment', '.gitignore', 'src/monkey', 'venv.md', 'id_rsa.pub'])(
    '%s is fine',
    (path) => {
      expect(contextFindings(files(path), LIMITS)).toEqual([]);
    },
  );
});
