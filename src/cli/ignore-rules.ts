/** What of a folder is left out of the upload: `.git` and `node_modules` at its root, and what `.flukedeployignore` names. */
import { UsageError } from './failures.js';

export const IGNORE_FILE = '.flukedeployignore';

const ALWAYS = ['/.git', '/node_modules'];

/**
 * One pattern a line, `#` begins a comment. A name alone is meant at any depth, a path from the root on; `*` and `?`
 * stand for characters of one name, `**` for any folders.
 * @returns whether a path, relative and without a slash at its end, is left out; what lies below it is left out with it
 * @throws UsageError for `!`, which is not understood here
 */
export function ignoreRules(text: string): (path: string) => boolean {
  const patterns = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const exception = patterns.find((pattern) => pattern.startsWith('!'));
  if (exception !== undefined)
    throw new UsageError(`${IGNORE_FILE}: ${exception} would take back a pattern, which is not supported`);
  const expressions = [...ALWAYS, ...patterns].map(expressionOf);
  return (path) => expressions.some((expression) => expression.test(path));
}

function expressionOf(pattern: string): RegExp {
  const path = pattern.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  const isName = !path.includes('/') && !/^\.?\//.test(pattern);
  const segments = path.split('/').map((segment) => (segment === '**' ? '.*' : segmentExpression(segment)));
  return new RegExp(`^${isName ? '(?:.*/)?' : ''}${segments.join('/').replaceAll('.*/', '(?:.*/)?')}$`, 's');
}

function segmentExpression(segment: string): string {
  return segment
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}
