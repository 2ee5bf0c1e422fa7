/** Certificates for tests, made by openssl: an authority of its own, and what it signs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly private_key: string;
}

export interface CertificateWish {
  /** As openssl writes them: `DNS:a.example`, `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  /** Without one it signs itself. */
  readonly issuer?: KeyPair;
  readonly authority?: boolean;
  /** May be negative: then it has expired. */
  readonly days?: number;
  /** As `openssl genpkey` takes it: `EC:P-256`, `RSA:1024`, `ED25519`. */
  readonly key?: string;
}

export async function makeCertificate({
  names = [],
  issuer,
  authority = false,
  days = 30,
  key = 'EC:P-256',
}: CertificateWish): Promise<KeyPair> {
  const folder = await mkdtemp(join(tmpdir(), 'flukedeploy-certificate-'));
  try {
    const file = (name: string): string => join(folder, name);
    const [algorithm = 'EC', size] = key.split(':');
    const option = algorithm === 'EC' ? `ec_paramgen_curve:${size ?? ''}` : `rsa_keygen_bits:${size ?? ''}`;
    await run('openssl', [
      'genpkey',
      ...['-algorithm', algorithm, '-out', file('key.pem')],
      ...(size === undefined ? [] : ['-pkeyopt', option]),
    ]);
    await run('openssl', ['req', '-new', '-key', file('key.pem'), '-subj', '/CN=a test', '-out', file('request.pem')]);
    const extensions = [
      `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
    ];
    await writeFile(file('extensions'), extensions.join('\n'));
    if (issuer) await writeFile(file('issuer.pem'), issuer.certificate);
    if (issuer) await writeFile(file('issuer-key.pem'), issuer.private_key);
    await run('openssl', [
      'x509',
      '-req',
      ...[
        '-in',
        file('request.pem'),
        '-out',
        file('certificate.pem'),
        '-days',
        String(days),
        '-extfile',
        file('extensions'),
      ],
      ...(issuer
        ? ['-CA', file('issuer.pem'), '-CAkey', file('issuer-key.pem'), '-CAcreateserial']
        : ['-signkey', file('key.pem')]),
    ]);
    return {
      certificate: await readFile(file('certificate.pem'), 'utf8'),
      private_key: await readFile(file('key.pem'), 'utf8'),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
