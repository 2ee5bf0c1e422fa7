/** Checks a certificate that a user brings: what is accepted here can be served. The key is never repeated in an error. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { DeployError } from '../../domain/errors.js';

const MOST_CERTIFICATES = 10;
export const MOST_HOSTS = 100;
const LEAST_RSA_BITS = 2048;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]*-----END \1-----/g;
/** Goes into the configuration of the edge: nothing but what a name can be. */
export const HOST_NAME =
  /^(?=.{1,253}$)(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export interface OwnCertificate {
  /** PEM, leaf first, written anew. */
  readonly certificate: string;
  /** PEM, in clear. */
  readonly private_key: string;
  readonly hosts: readonly string[];
  readonly issued_at: string;
  readonly expires_at: string;
}

export interface OwnCertificateOrder {
  readonly certificate: string;
  readonly private_key: string;
  /** The names it shall be served for; left out: all that it is for. */
  readonly hosts?: readonly string[] | undefined;
}

type Field = 'certificate' | 'private_key' | 'hosts';

/**
 * @param now milliseconds since the epoch
 * @throws DeployError `certificate_invalid` that names the field
 */
export function readOwnCertificate(order: OwnCertificateOrder, now: number): OwnCertificate {
  const chain = readChain(order.certificate);
  const [leaf] = chain;
  if (leaf === undefined) throw refuse('certificate', 'holds no certificate in PEM');
  const key = readKey(order.private_key);
  checkPair(chain, leaf, key);
  checkChain(chain, now);
  const names = namesOf(leaf);
  const hosts = [...new Set(order.hosts ?? names)];
  for (const host of hosts) {
    if (!names.some((name) => covers(name, host)))
      throw refuse('hosts', `${host} is not one of the names of the certificate`);
  }
  const certificate = chain.map(String).join('');
  const private_key = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  checkServable(certificate, private_key);
  return { certificate, private_key, hosts, issued_at: iso(leaf.validFromDate), expires_at: iso(leaf.validToDate) };
}

/** Whether a certificate for the name, which may begin with `*.`, serves the host. */
export function covers(name: string, host: string): boolean {
  if (name === host) return true;
  return name.startsWith('*.') && host.indexOf('.') > 0 && host.slice(host.indexOf('.')) === name.slice(1);
}

function readChain(pem: string): X509Certificate[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.some(([, label = '']) => label.endsWith('PRIVATE KEY'))) {
    throw refuse('certificate', 'holds a private key, which belongs into private_key');
  }
  if (blocks.length > MOST_CERTIFICATES)
    throw refuse('certificate', `holds more than ${MOST_CERTIFICATES} certificates`);
  return blocks.map(([block], index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw refuse('certificate', `block ${index + 1} is no X.509 certificate`);
    }
  });
}

function readKey(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) throw refuse('private_key', 'is encrypted; send it without its passphrase');
  const key = parseKey(pem);
  const { modulusLength = Infinity } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec') {
    throw refuse('private_key', `is of type ${String(key.asymmetricKeyType)}; browsers want rsa or ec`);
  }
  if (modulusLength < LEAST_RSA_BITS)
    throw refuse('private_key', `has ${modulusLength} bits, fewer than ${LEAST_RSA_BITS}`);
  return key;
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    throw refuse('private_key', 'is no private key in PEM');
  }
}

function checkPair(chain: readonly X509Certificate[], leaf: X509Certificate, key: KeyObject): void {
  if (leaf.checkPrivateKey(key)) return;
  const place = chain.findIndex((each) => each.checkPrivateKey(key));
  if (place > 0) throw refuse('certificate', `the key belongs to certificate ${place + 1}, which must come first`);
  throw refuse('private_key', 'does not belong to the certificate');
}

function checkChain(chain: readonly X509Certificate[], now: number): void {
  for (const [index, each] of chain.entries()) {
    const which = index === 0 ? 'it' : `certificate ${index + 1} of the chain`;
    if (each.validToDate.getTime() <= now)
      throw refuse('certificate', `${which} has expired at ${iso(each.validToDate)}`);
    if (each.validFromDate.getTime() > now)
      throw refuse('certificate', `${which} is not valid before ${iso(each.validFromDate)}`);
    const issuer = chain[index + 1];
    if (issuer && !(each.checkIssued(issuer) && each.verify(issuer.publicKey))) {
      throw refuse(
        'certificate',
        `certificate ${index + 2} has not signed the one before it; each must be followed by its issuer`,
      );
    }
  }
}

function namesOf(leaf: X509Certificate): string[] {
  // What is quoted holds characters that no host name has, perhaps to look like more names.
  const plain = (leaf.subjectAltName ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const names = plain
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice('DNS:'.length).toLowerCase())
    .filter((name) => HOST_NAME.test(name));
  if (names.length === 0) throw refuse('certificate', 'is for no host name (subjectAltName)');
  if (names.length > MOST_HOSTS) throw refuse('certificate', `is for more than ${MOST_HOSTS} names`);
  return names;
}

/** OpenSSL has the last word, as it has at the edge: weak signatures for example. */
function checkServable(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const { reason } = error as { reason?: unknown };
    throw refuse('certificate', `OpenSSL refuses it: ${typeof reason === 'string' ? reason : 'unusable'}`);
  }
}

function refuse(path: Field, message: string): DeployError {
  return new DeployError('certificate_invalid', `${path}: ${message}`, { fields: [{ path, message }] });
}

function iso(date: Date): string {
  return date.toISOString();
}
