import { X509Certificate } from 'node:crypto';
import { createServer as createTlsServer } from 'node:https';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { certificateProcess, type CertificateProcess } from '../../../test/support/certificate-process.js';
import { hasPebble, startPebble, type Pebble } from '../../../test/support/pebble.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { until } from '../../../test/support/until.js';
import { AcmeCertificateAuthority } from '../../adapters/acme/acme-certificate-authority.js';
import type { EdgeChallenge } from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';
import { CertificateOptions } from './certificate-options.js';

jest.setTimeout(60_000);

(hasPebble ? describe : describe.skip)('certificates', () => {
  let postgres: TestDatabase;
  let audit: AuditLog;
  let pebble: Pebble;
  let main: CertificateProcess;
  /** What the edge serves: what was published when it was last told. */
  let atEdge: readonly EdgeChallenge[] = [];
  let syncs = 0;
  const lines: string[] = [];
  let syncing: Promise<void> = Promise.resolve();
  const edge = {
    // One after another: an older look must not take the place of a newer one.
    sync: (): Promise<void> =>
      (syncing = syncing.then(async () => {
        syncs++;
        atEdge = await main.service.challenges();
      })),
  };

  beforeAll(async () => {
    postgres = await startTestDatabase();
    audit = new AuditLog(postgres.database);
    pebble = await startPebble(async () => atEdge);
  });
  afterAll(async () => {
    await pebble.stop();
    await postgres.stop();
  });
  beforeEach(async () => {
    await postgres.database.query('truncate acme_accounts, acme_challenges, certificates');
    await audit.begin();
    syncs = 0;
    lines.length = 0;
    for (const level of ['log', 'warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void lines.push(String(message)));
    }
    main = startProcess();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  function startProcess(lease_ms?: number): CertificateProcess {
    const { directory, authorities } = pebble;
    const options = new CertificateOptions(directory, 'operator@example.com', lease_ms);
    const authority = new AcmeCertificateAuthority({ directory, authorities, email: options.email });
    return certificateProcess(postgres.database, authority, { edge, options });
  }

  /** In short. */
  async function shelf(): Promise<string[]> {
    const records = await main.service.list({});
    return records
      .map(({ hosts, state, issued }) => `${state} ${hosts.join()} has ${issued?.hosts.join() ?? 'none'}`)
      .sort();
  }

  async function servedFor(host: string): Promise<X509Certificate> {
    const found = (await main.service.served()).find(({ hosts }) => hosts.includes(host));
    if (found === undefined) throw new Error(`nothing is served for ${host}`);
    return new X509Certificate(found.certificate);
  }

  async function passWaits(): Promise<void> {
    await postgres.database.query('update certificates set next_attempt_at = clock_timestamp()');
  }

  it('are ordered for all names of an app, and a browser that knows the root trusts them', async () => {
    await main.service.wanted('web', 'production', ['Web.example', 'www.web.example']);
    await main.service.round();
    const [served, ...more] = await main.service.served();
    expect([served!.hosts, more]).toEqual([['web.example', 'www.web.example'], []]);
    const server = createTlsServer({ cert: served!.certificate, key: served!.private_key }, (_, answer) =>
      answer.end('hello'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ca = await pebble.root();
    const status = await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, servername: 'www.web.example', ca }, (answer) => resolve(answer.statusCode))
        .once('error', reject)
        .end();
    });
    server.closeAllConnections();
    server.close();
    expect(status).toBe(200);
    expect(await main.service.challenges()).toEqual([]);
    expect(syncs).toBeGreaterThanOrEqual(3);
    expect(lines.join('\n')).toMatch(
      /Issued the certificate for web\.example, www\.web\.example \(web\/production\), until 20/,
    );
  });

  it('are renewed in time, and not before', async () => {
    await main.service.wanted('web', 'production', ['web.example']);
    await main.service.round();
    const first = await servedFor('web.example');
    await main.service.round();
    expect((await servedFor('web.example')).serialNumber).toBe(first.serialNumber);
    const [record] = await main.service.list({});
    const left = first.validToDate.getTime() - Date.parse(record!.next_attempt_at!);
    const life = first.validToDate.getTime() - first.validFromDate.getTime();
    expect(left / life).toBeGreaterThanOrEqual(1 / 3);
    expect(left / life).toBeLessThan(0.37);
    await passWaits();
    await main.service.round();
    expect((await servedFor('web.example')).serialNumber).not.toBe(first.serialNumber);
    expect(await shelf()).toEqual(['issued web.example has web.example']);
  });

  it('come for the other names when one fails, which is tried alone and gets its own in the end', async () => {
    await pebble.mislead('lost.example');
    await main.service.wanted('web', 'production', ['a.example', 'lost.example', 'b.example']);
    await main.service.round();
    expect(await shelf()).toEqual([
      'failed lost.example has none',
      'issued a.example,b.example has a.example,b.example',
    ]);
    const failed = (await main.service.list({})).find(({ state }) => state === 'failed');
    expect(failed).toMatchObject({
      attempts: 1,
      error: { code: 'acme_failed', message: expect.stringContaining('127.9.9.9') },
    });
    const wait = Date.parse(failed!.next_attempt_at!) - Date.now();
    expect(wait).toBeGreaterThan(30_000);
    expect(wait).toBeLessThan(70_000);
    await pebble.correct('lost.example');
    await passWaits();
    await main.service.round();
    expect((await servedFor('lost.example')).checkHost('lost.example')).toBe('lost.example');
  });

  it('that work are kept when the next one cannot be had', async () => {
    await main.service.wanted('web', 'production', ['web.example']);
    await main.service.round();
    const first = await servedFor('web.example');
    await pebble.mislead('web.example');
    await passWaits();
    await main.service.round();
    await pebble.correct('web.example');
    expect((await servedFor('web.example')).serialNumber).toBe(first.serialNumber);
    const [record] = await main.service.list({});
    expect(record).toMatchObject({ state: 'issued', attempts: 1, error: { code: 'acme_failed' } });
  });

  it('are not doubled by many processes', async () => {
    const processes = [main, ...Array.from({ length: 3 }, () => startProcess())];
    for (const app of ['a', 'b', 'c', 'd', 'e']) await main.service.wanted(app, 'production', [`${app}.example`]);
    await Promise.all(processes.map(({ service }) => service.round()));
    const outcomes = lines.filter((line) => !line.includes(' wants '));
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^Issued/)));
    expect(await postgres.database.query('select 1 from acme_accounts')).toHaveLength(1);
  });

  it('are finished by another process when one dies in the middle', async () => {
    const over = new AbortController();
    const doomed = startProcess(1_000);
    // A killed process says nothing more: neither to the store, nor to the edge.
    for (const ending of ['issued', 'failed', 'postpone', 'withdraw'] as const) {
      jest.spyOn(doomed.store, ending).mockImplementation(() => new Promise<never>(() => undefined));
    }
    const published = jest.spyOn(doomed.store, 'publish').mockImplementation(async (challenge) => {
      await main.store.publish(challenge);
      over.abort(new Error('killed'));
    });
    await main.service.wanted('web', 'production', ['web.example']);
    void doomed.service.round(over.signal);
    await until(async () => published.mock.calls.length > 0, 'the challenge is published');
    await main.service.round();
    expect(await shelf()).toEqual(['pending web.example has none']);
    expect(await main.service.challenges()).toHaveLength(1);
    await until(async () => {
      await main.service.round();
      return (await shelf())[0] === 'issued web.example has web.example';
    }, 'another process has finished');
    expect(lines.filter((line) => line.startsWith('Issued'))).toHaveLength(1);
  });

  it('are given back at a shutdown, without counting as a failure', async () => {
    const over = new AbortController();
    const publish = main.store.publish.bind(main.store);
    jest.spyOn(main.store, 'publish').mockImplementation(async (challenge) => {
      await publish(challenge);
      over.abort(new Error('FlukeDeploy shuts down.'));
    });
    await main.service.wanted('web', 'production', ['web.example']);
    await main.service.round(over.signal);
    expect(await main.service.challenges()).toEqual([]);
    expect((await main.service.list({}))[0]).toMatchObject({ state: 'pending', attempts: 0 });
    await main.service.round();
    expect(await shelf()).toEqual(['issued web.example has web.example']);
  });

  it('are ordered by nobody who has not agreed', async () => {
    const options = new CertificateOptions(pebble.directory, undefined);
    const authority = new AcmeCertificateAuthority({ directory: pebble.directory, authorities: pebble.authorities });
    const silent = certificateProcess(postgres.database, authority, { options });
    await silent.service.wanted('web', 'production', ['web.example']);
    await silent.service.round();
    expect(await shelf()).toEqual(['pending web.example has none']);
    const [record] = await silent.service.list({});
    await expect(silent.service.renew(record!)).rejects.toMatchObject({ code: 'acme_disabled' });
  });

  it('are revoked with a reason and then gone', async () => {
    await main.service.wanted('web', 'production', ['web.example']);
    await main.service.round();
    const { serialNumber } = await servedFor('web.example');
    const [record] = await main.service.list({});
    await main.service.remove(record!, 'key_compromise');
    expect(await pebble.status(serialNumber)).toMatchObject({ Status: 'Revoked', Reason: 1 });
    expect([await main.service.served(), await main.service.list({})]).toEqual([[], []]);
    expect(await audit.lines()).toEqual([`flukedeploy certificate.issue ${record!.id} succeeded`]);
  });

  it('are kept while the edge is away, and shown when it is back', async () => {
    await main.service.wanted('web', 'production', ['web.example']);
    const sync = jest.spyOn(edge, 'sync').mockRejectedValue(new DeployError('edge_unavailable'));
    await main.service.round();
    expect((await main.service.list({}))[0]).toMatchObject({ state: 'failed', error: { code: 'edge_unavailable' } });
    sync.mockRestore();
    syncs = 0;
    await main.service.round();
    expect(syncs).toBe(1);
  });
});
