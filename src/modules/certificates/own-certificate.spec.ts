import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { makeCertificate, type KeyPair } from '../../../test/support/test-certificates.js';
import { DeployError } from '../../domain/errors.js';
import { covers, readOwnCertificate, type OwnCertificateOrder } from './own-certificate.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;
let now: number;
let root: KeyPair;
let middle: KeyPair;
let own: KeyPair;
let other: KeyPair;
beforeAll(async () => {
  root = await makeCertificate({ authority: true });
  middle = await makeCertificate({ authority: true, issuer: root });
  own = await makeCertificate({ names: ['DNS:a.example', 'DNS:*.B.example', 'IP:10.0.0.1'], issuer: middle });
  other = await makeCertificate({ names: ['DNS:other.example'] });
  now = Date.now();
});

function refusal(order: Partial<OwnCertificateOrder>, at = Date.now()): string {
  try {
    readOwnCertificate({ ...own, ...order }, at);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const text = JSON.stringify([error.message, error.fields, error.evidence]);
    for (const line of `${own.private_key}${other.private_key}`.split('\n').slice(1, 3))
      expect(text).not.toContain(line);
    expect(error.code).toBe('certificate_invalid');
    return `${error.fields?.[0]?.path ?? ''}: ${error.fields?.[0]?.message ?? ''}`;
  }
  return 'accepted';
}

describe('an own certificate', () => {
  it('is for the names in it, and keeps its chain', () => {
    const chain = `some words\n${own.certificate}${middle.certificate}`;
    const read = readOwnCertificate({ certificate: chain, private_key: own.private_key }, now);
    expect(read.hosts).toEqual(['a.example', '*.b.example']);
    expect(read.certificate).toBe(own.certificate + middle.certificate);
    expect(Date.parse(read.expires_at) - now).toBeGreaterThan(29 * DAY_MS);
  });

  it('is served for some of its names when that is asked for', () => {
    expect(readOwnCertificate({ ...own, hosts: ['www.b.example'] }, now).hosts).toEqual(['www.b.example']);
  });

  it('may have an RSA key', async () => {
    const rsa = await makeCertificate({ names: ['DNS:rsa.example'], key: 'RSA:2048' });
    expect(readOwnCertificate(rsa, Date.now()).hosts).toEqual(['rsa.example']);
  });

  it.each<[string, () => Partial<OwnCertificateOrder> | Promise<Partial<OwnCertificateOrder>>, RegExp]>([
    ['is empty', () => ({ certificate: '' }), /^certificate: holds no certificate/],
    ['is garbage', () => ({ certificate: 'certificate, please' }), /^certificate: holds no certificate/],
    [
      'is broken',
      () => ({ certificate: own.certificate.replace(/.{40}\n-----END/, '\n-----END') }),
      /^certificate: block 1/,
    ],
    ['is a key', () => ({ certificate: own.private_key }), /^certificate: holds a private key/],
    ['is with a key', () => ({ certificate: own.certificate + own.private_key }), /^certificate: holds a private key/],
    ['is one of many', () => ({ certificate: own.certificate.repeat(11) }), /^certificate: holds more than 10/],
    ['has no key', () => ({ private_key: '' }), /^private_key: is no private key/],
    ['has a certificate as key', () => ({ private_key: own.certificate }), /^private_key: is no private key/],
    ['has a broken key', () => ({ private_key: own.private_key.slice(0, 80) }), /^private_key: is no private key/],
    [
      'has an encrypted key',
      () => ({ private_key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----' }),
      /^private_key: is encrypted/,
    ],
    ['has another key', () => ({ private_key: other.private_key }), /^private_key: does not belong/],
    [
      'is in the wrong order',
      () => ({ certificate: middle.certificate + own.certificate }),
      /^certificate: the key belongs to certificate 2/,
    ],
    [
      'skips an issuer',
      () => ({ certificate: own.certificate + root.certificate }),
      /^certificate: certificate 2 has not signed/,
    ],
    ['is for another name', () => ({ hosts: ['a.example', 'c.example'] }), /^hosts: c\.example is not one/],
    ['is for a deeper name', () => ({ hosts: ['x.y.b.example'] }), /^hosts: x\.y\.b\.example is not one/],
    ['is for the name above', () => ({ hosts: ['b.example'] }), /^hosts: b\.example is not one/],
    ['is for no name', () => makeCertificate({}), /^certificate: is for no host name/],
    ['is for an address only', () => makeCertificate({ names: ['IP:10.0.0.1'] }), /^certificate: is for no host name/],
    [
      'is for what is no name',
      () => makeCertificate({ names: ['DNS:{a}.example', 'DNS:a b.example'] }),
      /^certificate: is for no host name/,
    ],
    [
      'has a short key',
      () => makeCertificate({ names: ['DNS:a.example'], key: 'RSA:1024' }),
      /^private_key: has 1024 bits/,
    ],
    [
      'has a key that browsers do not know',
      () => makeCertificate({ names: ['DNS:a.example'], key: 'ED25519' }),
      /^private_key: is of type ed25519/,
    ],
  ])('is refused when it %s', async (_, order, expected) => {
    expect(refusal(await order())).toMatch(expected);
  });

  it('is refused before and after its time', () => {
    expect(refusal({}, now + 31 * DAY_MS)).toMatch(/^certificate: it has expired at /);
    expect(refusal({}, now - DAY_MS)).toMatch(/^certificate: it is not valid before /);
  });

  it('is refused when an issuer in its chain has expired', async () => {
    const old = await makeCertificate({ authority: true, issuer: root, days: 1 });
    const young = await makeCertificate({ names: ['DNS:a.example'], issuer: old, days: 60 });
    const order = { certificate: young.certificate + old.certificate, private_key: young.private_key };
    expect(refusal(order, now + 2 * DAY_MS)).toMatch(/^certificate: certificate 2 of the chain has expired/);
  });
});

describe('a name with *', () => {
  it.each([
    ['*.a.example', 'x.a.example', true],
    ['*.a.example', '*.a.example', true],
    ['*.a.example', 'a.example', false],
    ['*.a.example', '.a.example', false],
    ['*.a.example', 'x.y.a.example', false],
    ['a.example', 'a.example', true],
    ['a.example', 'x.a.example', false],
  ])('%s covers %s: %s', (name, host, expected) => {
    expect(covers(name, host)).toBe(expected);
  });
});
