/** Which relative paths and link targets, found in somebody else's files, certainly stay inside their folder. */

/** Longer than any path of a real project; short enough that 100,000 of them fit in memory. */
const LONGEST_PATH = 1_024;
const LONGEST_SEGMENT = 255;

/** Why `path` must not be used below a folder, in words that follow its name; `undefined` when it may. */
export function pathProblem(path: string): string | undefined {
  if (/\p{Cc}/u.test(path)) return 'holds control characters';
  if (/^([/\\]|[a-z]:)/i.test(path)) return 'is absolute';
  // A backslash separates folders on some systems, so it must not hide a `..` from us.
  const segments = path.split(/[/\\]/);
  if (segments.includes('..')) return 'has .. in its path';
  if (path.length > LONGEST_PATH || segments.some((segment) => segment.length > LONGEST_SEGMENT)) return 'is too long';
  return undefined;
}

/** The path in its plain form: `./a//b/` is `a/b`, and the folder itself is empty. */
export function plainPath(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

/**
 * Whether a symbolic link at `path` (plain, below real folders) that points to `target` stays inside.
 * `..` may stand at the front only: behind a name it would climb from wherever that name, itself a link, leads to.
 */
export function isContainedLink(path: string, target: string): boolean {
  const [, climb = '', descent = ''] = /^((?:\.\.?(?:\/+|$))*)(.*)$/s.exec(target) ?? [];
  const depth = path.split('/').length - 1;
  const climbed = climb.split(/\/+/).filter((segment) => segment === '..').length;
  return target !== '' && climbed <= depth && pathProblem(descent) === undefined;
}
