/** Text of others, made safe for a terminal: what a build prints must not move the cursor, hide lines or retitle windows. */

/** CSI, OSC, the other strings (DCS, SOS, PM, APC), and the short escapes: ECMA-48. */
const SEQUENCE =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?|\u001b[PX^_][^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;

/** Controls but tab and newline, and the marks that turn the direction of writing, which make text read as another. */

const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function printable(text: string): string {
  return text.replace(SEQUENCE, '').replace(/\r\n?/g, '\n').replace(INVISIBLE, '');
}

export function printableLines(text: string): string[] {
  return printable(text).replace(/\n+$/, '').split('\n');
}

/** JSON escapes C0 controls by itself; the others are as dangerous, and an escape means the same value. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(INVISIBLE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
