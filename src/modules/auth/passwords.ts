/** Hashes passwords with scrypt, in the PHC string format: each hash says how it was made, so the cost can rise later. */
import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** OWASP's parameters for 32 MiB a check: N = 2^15, r = 8, p = 3. */
const COST = { ln: 15, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORMAT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await stretch(password, salt, HASH_BYTES, COST);
  return `$scrypt$ln=${String(COST.ln)},r=${String(COST.r)},p=${String(COST.p)}$${encode(salt)}$${encode(hash)}`;
}

/**
 * Takes the same time however much of the password is right.
 * @throws Error when `kept` is not a hash made here
 */
export async function verifyPassword(password: string, kept: string): Promise<boolean> {
  const [, ln, r, p, salt, hash] = FORMAT.exec(kept) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('The kept password hash has an unknown format.');
  const expected = Buffer.from(hash, 'base64');
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const actual = await stretch(password, Buffer.from(salt, 'base64'), expected.length, cost);
  return timingSafeEqual(actual, expected);
}

interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

function stretch(password: string, salt: Buffer, bytes: number, { ln, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** ln;
  // Node allows 32 MiB unless told otherwise; scrypt needs 128·N·r and a little.
  return derive(password.normalize('NFKC'), salt, bytes, { N, r, p, maxmem: 256 * N * r });
}

const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
