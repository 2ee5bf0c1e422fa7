/** Certificates made on the spot by openssl, which every machine with these tests has. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EdgeCertificate } from '../../src/domain/edge-ports.js';

const run = promisify(execFile);

/** @param name goes into the subject, so that a test can tell which one it was shown */
export async function selfSigned(name: string, hosts: readonly string[]): Promise<EdgeCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'flukedeploy-test-'));
  try {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`],
      ...['-keyout', key, '-out', certificate],
    ]);
    return { hosts, certificate: await readFile(certificate, 'utf8'), private_key: await readFile(key, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}
