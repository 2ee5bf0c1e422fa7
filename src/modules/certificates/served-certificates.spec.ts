import { createPublicKey, X509Certificate } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { certificateProcess, type CertificateProcess } from '../../../test/support/certificate-process.js';
import { hasPebble, startPebble, type Pebble } from '../../../test/support/pebble.js';
import { makeCertificate } from '../../../test/support/test-certificates.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { AcmeCertificateAuthority } from '../../adapters/acme/acme-certificate-authority.js';
import { CertificateOptions } from './certificate-options.js';

jest.setTimeout(60_000);

const WEB = { app_name: 'web', environment: 'production' };

(hasPebble ? describe : describe.skip)('certificates', () => {
  let postgres: TestDatabase;
  let pebble: Pebble;
  let main: CertificateProcess;
  const lines: string[] = [];
  beforeAll(async () => {
    postgres = await startTestDatabase();
    pebble = await startPebble(() => main.service.challenges());
    const { directory, authorities } = pebble;
    const options = new CertificateOptions(directory, 'operator@example.com');
    main = certificateProcess(postgres.database, new AcmeCertificateAuthority({ directory, authorities }), { options });
  });
  afterAll(async () => {
    await pebble.stop();
    await postgres.stop();
  });
  beforeEach(async () => {
    await postgres.database.query('truncate acme_accounts, acme_challenges, certificates');
    lines.length = 0;
    for (const level of ['log', 'warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void lines.push(String(message)));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** What is served for which hosts: the serial number of the certificate. */
  async function served(): Promise<[string, readonly string[]][]> {
    return (await main.service.served()).map(({ certificate, hosts }) => [serialOf(certificate), hosts]);
  }

  const serialOf = (certificate: string): string => new X509Certificate(certificate).serialNumber;

  it('of one’s own come before ordered ones, for the names of the app only', async () => {
    await main.service.wanted('web', 'production', ['web.example', 'www.web.example']);
    await main.service.round();
    const own = await makeCertificate({ names: ['DNS:web.example', 'DNS:later.example'] });
    await main.service.upload(WEB, own);
    expect((await served())[0]).toEqual([serialOf(own.certificate), ['web.example', 'later.example']]);
    expect((await main.service.served()).map(({ hosts }) => hosts)).toEqual([
      ['web.example', 'later.example'],
      ['www.web.example'],
    ]);
    // Another app gets the name: what was uploaded elsewhere does not count any more.
    await main.service.wanted('other', 'production', ['later.example']);
    expect((await main.service.served()).map(({ hosts }) => hosts)).toEqual([['web.example'], ['www.web.example']]);
    await expect(main.service.upload({ ...WEB, app_name: 'thief' }, own)).rejects.toMatchObject({
      code: 'domain_taken',
    });
  });

  it('are not ordered for names that an own certificate serves', async () => {
    await main.service.upload(WEB, await makeCertificate({ names: ['DNS:*.web.example'] }));
    await main.service.wanted('web', 'production', ['www.web.example']);
    await main.service.round();
    expect((await main.service.list({})).map(({ state, hosts }) => `${state} ${hosts.join()}`).sort()).toEqual([
      'issued *.web.example',
      'pending www.web.example',
    ]);
  });

  it('show no key: not in the log, not in the database, not in the audit trail', async () => {
    await pebble.mislead('lost.example');
    await main.service.wanted('web', 'production', ['web.example', 'lost.example']);
    await main.service.round();
    const own = await makeCertificate({ names: ['DNS:own.example'] });
    await main.service.upload(WEB, own);
    await main.service.upload(WEB, { ...own, certificate: 'x' }).catch(() => undefined);
    const keys = (await main.service.served()).map(({ private_key }) => private_key).concat(own.private_key);
    expect(keys).toHaveLength(3);
    expect(createPublicKey(keys[0]!).equals(new X509Certificate(own.certificate).publicKey)).toBe(true);
    const database = await Promise.all(
      ['certificates', 'acme_accounts', 'audit'].map((table) => postgres.database.query(`select * from ${table}`)),
    );
    const seen = JSON.stringify([lines, database]);
    expect(seen).not.toContain('PRIVATE KEY');
    for (const key of keys) expect(seen).not.toContain(key.split('\n')[1]);
  });
});
