/** Where the key of all sealed secrets comes from: the environment, else a file that the first start makes. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createPrivateFile } from '../process/private-file.js';

const KEY_BYTES = 32;

/**
 * @param source.fromEnvironment the key as base64; it wins
 * @param source.file holds the key as base64 too, so that it can be moved to the environment
 * @throws Error when the key found is not 32 bytes: a new one would lose every secret sealed so far
 */
export async function loadSecretKey(source: {
  readonly fromEnvironment?: string | undefined;
  readonly file: string;
}): Promise<Buffer> {
  const { fromEnvironment, file } = source;
  if (fromEnvironment !== undefined) return decode(fromEnvironment, 'the environment');
  await createPrivateFile(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
  return decode(await readFile(file, 'utf8'), file);
}

function decode(text: string, place: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  // Buffer.from skips what is not base64; only a text that comes back the same was one.
  if (key.length !== KEY_BYTES || key.toString('base64') !== text.trim()) {
    throw new Error(`The secret key in ${place} is not base64 of ${String(KEY_BYTES)} bytes.`);
  }
  return key;
}
