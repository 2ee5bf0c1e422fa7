/** The ways in which programs write a secret they know: as it is, percent-encoded, JSON-escaped, inside base64. */

/** Shorter values are parts of ordinary words: masking them would shred the log and hide nothing. */
export const SHORTEST_SECRET = 6;

/** Longer values are looked for piece by piece, so that no alternative grows without bound. */
const PIECE_LENGTH = 128;

/** Characters of base64 in a line: of GNU coreutils (and MIME, RFC 2045 §6.8), and of OpenSSL (and PEM, RFC 7468 §2). */
const WRAP_WIDTHS = [76, 64];

/** A shorter rest of wrapped base64 tells little, and would be found in ordinary words. */
const SHORTEST_LINE = 8;

/** Length of one regular expression; V8 refuses those that grow too large. */
const PATTERN_LENGTH = 64 * 1024;

/** Regular expressions that find every form of every secret, the longest secret first; mostly there are just a few. */
export function knownPatterns(secrets: Iterable<string>): RegExp[] {
  const values = [...secrets];
  const longestFirst = [...new Set(values.flatMap(pieces))].sort((a, b) => b.length - a.length);
  // Apart: a form of a piece may be how a wrapped line begins, and the first alternative would be all that is found.
  return [...patterns(longestFirst.flatMap(forms)), ...patterns(values.flatMap(wrappedForms))];
}

function patterns(sources: readonly string[]): RegExp[] {
  const batches: string[][] = [];
  let room = 0;
  for (const source of new Set(sources)) {
    if (source.length > room) {
      batches.push([]);
      room = PATTERN_LENGTH;
    }
    batches.at(-1)?.push(source);
    room -= source.length;
  }
  return batches.map((batch) => new RegExp(batch.join('|'), 'g'));
}

/** What of a value can stand in one line: output is masked line by line. */
function pieces(value: string): string[] {
  return [value, ...value.split(/[\r\n]+/)]
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_SECRET)
    .flatMap((line) => {
      if (line.length <= PIECE_LENGTH) return line;
      const count = Math.ceil(line.length / PIECE_LENGTH);
      return Array.from({ length: count }, (_, index) => {
        const start = Math.min(index * PIECE_LENGTH, line.length - PIECE_LENGTH);
        return line.slice(start, start + PIECE_LENGTH);
      });
    });
}

/** Sources of regular expressions, without repetition: of a plain word only base64 differs from the word itself. */
function forms(piece: string): string[] {
  const json = JSON.stringify(piece).slice(1, -1);
  const ascii = json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const inner = JSON.stringify(json).slice(1, -1);
  const escaped = [json, ascii, json.replaceAll('/', '\\/'), inner].filter((form) => form !== piece);
  return [percentForm(piece), ...escaped.map(literally), ...base64Forms(piece)];
}

/** Each character as it is or percent-encoded, since encoders do not agree on which ones to leave. */
function percentForm(piece: string): string {
  return Array.from(piece, (character) => {
    if (/[A-Za-z0-9]/.test(character)) return character;
    const encoded = Array.from(new TextEncoder().encode(character), percentByte).join('');
    return `(?:${literally(character)}|${encoded}${character === ' ' ? '|\\+' : ''})`;
  }).join('');
}

/** `%2f` and `%2F`. */
function percentByte(byte: number): string {
  const hex = byte.toString(16).padStart(2, '0');
  return `%${hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`;
}

/**
 * Base64 spells a text in three ways, depending on where it begins in the encoded bytes (RFC 4648 §4). Of each, those
 * characters that no neighbour has a part in, and whatever ends it.
 */
function base64Forms(piece: string): string[] {
  const binary = binaryOf(piece);
  return [0, 1, 2].map((offset) => {
    const encoded = btoa('\0'.repeat(offset) + binary);
    const own = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + binary.length) * 8) / 6));
    return `${base64Source(own)}[\\w+/-]?={0,2}`;
  });
}

/** A long value by itself, as the usual tools break its base64 into lines. */
function wrappedForms(value: string): string[] {
  const encoded = btoa(binaryOf(value.trim())).replace(/=+$/, '');
  return WRAP_WIDTHS.filter((width) => encoded.length > width).flatMap((width) => {
    const lines = encoded.match(new RegExp(`.{${SHORTEST_LINE},${width}}`, 'g')) ?? [];
    // What follows the value is encoded with it, and changes the last characters.
    return lines.map((line) =>
      line.length < width ? `${base64Source(line.slice(0, -2))}[\\w+/-]{0,2}={0,2}` : base64Source(line),
    );
  });
}

/** UTF-8, a character for each byte. */
function binaryOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

function base64Source(encoded: string): string {
  return encoded.replaceAll('+', '(?:\\+|-|%2[Bb])').replaceAll('/', '(?:\\\\?/|_|%2[Ff])');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
