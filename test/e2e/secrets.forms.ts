/** A secret in every form in which programs print it, and what must be found nowhere once it was printed. */
import { LIMITS } from '../../src/domain/limits.js';

/** `S3cr3t-` and random digits, which no encoding but base64 and hex changes. */
const DIGITS = /S3cr3t-([0-9a-f]{18})/g;
const PIECE = 12;

/** Every trace of the secrets that these values hold: either end of the digits, plain and in base64, and the values in hex. */
export function tracesOf(values: readonly string[]): string[] {
  const digits = values.flatMap((value) => Array.from(value.matchAll(DIGITS), ([, found = '']) => found));
  return [
    ...digits.flatMap((each) => [each.slice(0, PIECE), each.slice(-PIECE)]),
    ...digits.flatMap((each) => [0, 1, 2].map((offset) => insideOfBase64(each, offset))),
    ...values.map((value) => Buffer.from(value).toString('hex')),
  ];
}

/** What the text alone decides of its base64, when it begins at this place of three bytes. */
function insideOfBase64(text: string, offset: number): string {
  const encoded = Buffer.from('\0'.repeat(offset) + text).toString('base64');
  return encoded.slice(offset === 0 ? 0 : 4, Math.floor((offset + text.length) / 3) * 4);
}

/** So many characters before it that Docker, or we, would cut it in two. */
const PADDINGS = [1, 2, 3].map((times) => times * LIMITS.log_line_length - 10);

/** Lines of a program that knows its secret by heart. */
export function formsOf(value: string): string {
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify({ message: value }),
    JSON.stringify(JSON.stringify({ message: value })),
    ...['', 'x', 'xy'].map((before) => Buffer.from(before + value).toString('base64')),
    `${value.slice(0, 10)}\u001b[31m${value.slice(10)}\u001b[0m`,
    ...PADDINGS.map((padding) => `${'p'.repeat(padding)}${value}`),
    '',
  ].join('\n');
}

/** A shell script that prints the variable in the same forms, and in two writes. */
export function printingForms(variable: string): string {
  const value = `"$${variable}"`;
  return [
    `printf '%s\\n' ${value}`,
    `printf '%s' ${value} | sed 's/"/%22/g; s/\\\\/%5C/g; s/ /%20/g'; echo`,
    `printf '{"message":"%s"}\\n' "$(printf '%s' ${value} | sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g')"`,
    ...['', 'x', 'xy'].map((before) => `printf '${before}%s' ${value} | base64 -w 0; echo`),
    ...PADDINGS.map((padding) => `head -c ${padding} /dev/zero | tr '\\0' p; printf '%s\\n' ${value}`),
    `printf '%s' ${value} | head -c 20; sleep 0.2; printf '%s' ${value} | tail -c +21; echo`,
  ].join('\n');
}
