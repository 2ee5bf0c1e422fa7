import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { AesGcmSecrets } from './aes-gcm-secrets.js';

const CONTEXT = 'web/production/API_KEY';
const key = randomBytes(32);
const secrets = new AesGcmSecrets(key);

describe('AesGcmSecrets', () => {
  it.each(['', 'hunter2', 'Grüße 🚀', 'x'.repeat(100_000)])('opens what it sealed', (text) => {
    expect(secrets.open(secrets.seal(text, CONTEXT), CONTEXT)).toBe(text);
  });

  it('opens what another process sealed under the same key', () => {
    expect(new AesGcmSecrets(Buffer.from(key)).open(secrets.seal('hunter2', CONTEXT), CONTEXT)).toBe('hunter2');
  });

  it('names the format and the key, shows nothing of the text, and never seals twice the same', () => {
    const [first, second] = [secrets.seal('hunter2', CONTEXT), secrets.seal('hunter2', CONTEXT)];
    expect(first).toMatch(/^enc:v1:[0-9a-f]{8}:[\w-]{47}$/);
    expect(first.split(':')[2]).toBe(second.split(':')[2]);
    expect(first).not.toBe(second);
  });

  it('refuses another context', () => {
    expect(() => secrets.open(secrets.seal('hunter2', CONTEXT), 'web/staging/API_KEY')).toThrow('another place');
  });

  it('refuses another key by its id, and also when the id is forged', () => {
    const other = new AesGcmSecrets(randomBytes(32));
    const foreign = other.seal('hunter2', CONTEXT);
    expect(() => secrets.open(foreign, CONTEXT)).toThrow('another key');
    const ownId = secrets.seal('', CONTEXT).split(':')[2] ?? '';
    expect(() => secrets.open(foreign.replace(/^enc:v1:\w+/, `enc:v1:${ownId}`), CONTEXT)).toThrow('was changed');
  });

  it('notices every changed byte', () => {
    const sealed = secrets.seal('hunter2', CONTEXT);
    const [head, encoded] = [sealed.slice(0, 16), sealed.slice(16)];
    const bytes = Buffer.from(encoded, 'base64url');
    for (const index of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => secrets.open(head + changed.toString('base64url'), CONTEXT)).toThrow('was changed');
    }
  });

  it.each([['plain text'], ['enc:v1::'], ['enc:v2:00000000:AAAA']])('refuses %j', (text) => {
    expect(() => secrets.open(text, CONTEXT)).toThrow('not a sealed secret');
  });

  it('refuses a text that is cut short', () => {
    expect(() => secrets.open(secrets.seal('', CONTEXT).slice(0, -5), CONTEXT)).toThrow('cut short');
  });

  it('fingerprints: same text and key, same hash', () => {
    const fingerprint = secrets.fingerprint('hunter2');
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(new AesGcmSecrets(key).fingerprint('hunter2')).toBe(fingerprint);
    expect(secrets.fingerprint('hunter3')).not.toBe(fingerprint);
    expect(new AesGcmSecrets(randomBytes(32)).fingerprint('hunter2')).not.toBe(fingerprint);
  });

  it('refuses a key of another length', () => {
    expect(() => new AesGcmSecrets(randomBytes(16))).toThrow('32 bytes');
  });
});
