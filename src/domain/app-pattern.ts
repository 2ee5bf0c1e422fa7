/** Patterns of app names, in which `*` stands for any characters or none. */

/** Takes time in proportion to the name, whatever the pattern: each part is taken where it comes first. */
export function matchesPattern(name: string, pattern: string): boolean {
  const [start = '', ...middle] = pattern.split('*');
  const end = middle.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start)) return false;

  let position = start.length;
  for (const part of middle) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position + end.length <= name.length && name.endsWith(end);
}
