/** Writes tar archives by hand, evil ones included: what a header says here, no honest tool would write. */
import { gzipSync } from 'node:zlib';

export interface TarEntry {
  readonly path: string;
  /** One character as in the header: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder, 6 fifo. */
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly link?: string;
  readonly mode?: number;
  /** What the header claims the body's length is, where it lies. */
  readonly size?: number;
}

export const file = (path: string, body: string | Buffer = '', mode = 0o644): TarEntry => ({ path, body, mode });
export const folder = (path: string): TarEntry => ({ path, type: '5', mode: 0o755 });
export const symbolicLink = (path: string, link: string): TarEntry => ({ path, type: '2', link });
export const hardLink = (path: string, link: string): TarEntry => ({ path, type: '1', link });

/** The end of an archive: two empty blocks. */
export const END_OF_ARCHIVE = Buffer.alloc(1024);

export const tar = (...entries: readonly TarEntry[]): Buffer =>
  Buffer.concat([...entries.map(entryBytes), END_OF_ARCHIVE]);
export const tarGz = (...entries: readonly TarEntry[]): Buffer => gzipSync(tar(...entries));

/** An archive of plain files, from their texts. */
export const tarOf = (files: Readonly<Record<string, string>>): Buffer =>
  tar(...Object.entries(files).map(([path, body]) => file(path, body)));

/** One entry: a PAX header first where a name does not fit, then header and body in blocks of 512 bytes. */
export function entryBytes(entry: TarEntry): Buffer {
  const body = Buffer.from(entry.body ?? '');
  const pax = [
    ...(Buffer.byteLength(entry.path) > 100 ? [paxRecord('path', entry.path)] : []),
    ...(Buffer.byteLength(entry.link ?? '') > 100 ? [paxRecord('linkpath', entry.link ?? '')] : []),
  ];
  return Buffer.concat([
    ...(pax.length > 0 ? [entryBytes({ path: 'PaxHeader', type: 'x', body: pax.join('') })] : []),
    header(entry, body.length),
    blocks(body),
  ]);
}

export const blocks = (body: Buffer): Buffer => Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);

/** `length key=value\n`, where the length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${rest}`;
}

function header({ path, type = '0', link = '', mode = 0o644, size }: TarEntry, bodyLength: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size ?? bodyLength, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

/** The bytes as they come over a network: in pieces that know nothing of blocks and entries. */
export async function* inChunks(bytes: Buffer, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
