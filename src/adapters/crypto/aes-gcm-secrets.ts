/** Seals secrets with AES-256-GCM, each bound to the place it belongs to. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Secrets } from '../../domain/ports.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** What NIST SP 800-38D recommends for random nonces: safe for 2^32 texts under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^enc:v1:([0-9a-f]{8}):([\w-]+)$/;

/** Sealed texts look like `enc:v1:<key id>:<base64url of nonce, ciphertext and tag>`. */
export class AesGcmSecrets extends Secrets {
  readonly #encryptionKey: Buffer;
  readonly #fingerprintKey: Buffer;
  readonly #keyId: string;

  /** @param key 32 random bytes; every purpose gets a key derived from it */
  constructor(key: Buffer) {
    super();
    if (key.length !== KEY_BYTES) throw new Error(`The secret key must have ${String(KEY_BYTES)} bytes.`);
    this.#encryptionKey = derive(key, 'encryption', KEY_BYTES);
    this.#fingerprintKey = derive(key, 'fingerprint', KEY_BYTES);
    this.#keyId = derive(key, 'key id', 4).toString('hex');
  }

  override seal(text: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#encryptionKey, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `enc:v1:${this.#keyId}:${sealed.toString('base64url')}`;
  }

  override open(sealed: string, context: string): string {
    const [, keyId, encoded] = SEALED.exec(sealed) ?? [];
    if (keyId === undefined || encoded === undefined) throw new Error('This is not a sealed secret.');
    if (keyId !== this.#keyId) throw new Error(`The secret was sealed under another key (${keyId}).`);

    const bytes = Buffer.from(encoded, 'base64url');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('The sealed secret is cut short.');
    const decipher = createDecipheriv(CIPHER, this.#encryptionKey, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (error) {
      throw new Error(`The secret was changed, or sealed for another place than ${context}.`, { cause: error });
    }
  }

  override fingerprint(text: string): string {
    return createHmac('sha256', this.#fingerprintKey).update(text).digest('hex');
  }
}

function derive(key: Buffer, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `flukedeploy ${purpose} v1`, bytes));
}
