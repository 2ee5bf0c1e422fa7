/** What API tokens and session tokens look like, and the hash that is kept of them. */
import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const SECRET_BYTES = 32;
const API_TOKEN = /^(fd_[0-9a-f]{12}_[\w-]{43})_([0-9a-f]{8})$/;
const SESSION_TOKEN = /^[\w-]{43}$/;

/**
 * `fd_<id>_<secret>_<crc>`: the prefix lets scanners find leaked tokens, the checksum tells them from look-alikes and
 * a mistyped one from a revoked one.
 */
export function newApiToken(): { readonly id: string; readonly token: string } {
  const id = randomBytes(6).toString('hex');
  const body = `fd_${id}_${newSessionToken()}`;
  return { id, token: `${body}_${checksum(body)}` };
}

export function newSessionToken(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function isApiToken(text: string): boolean {
  const [, body, crc] = API_TOKEN.exec(text) ?? [];
  return body !== undefined && checksum(body) === crc;
}

export function isSessionToken(text: string): boolean {
  return SESSION_TOKEN.test(text);
}

/** Tokens are 256 random bits, so a plain hash is enough; finding it by an index tells nothing about the token. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
