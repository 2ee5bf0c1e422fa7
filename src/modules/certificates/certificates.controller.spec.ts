import { Global, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog } from '../../../test/support/audit-log.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { makeCertificate, type KeyPair } from '../../../test/support/test-certificates.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { freePort } from '../../../test/support/test-registry.js';
import { AcmeCertificateAuthority } from '../../adapters/acme/acme-certificate-authority.js';
import { AesGcmSecrets } from '../../adapters/crypto/aes-gcm-secrets.js';
import { PostgresAuditTrail } from '../../adapters/postgres/postgres-audit-trail.js';
import { PostgresCertificateStore } from '../../adapters/postgres/postgres-certificate-store.js';
import { PostgresCredentialStore } from '../../adapters/postgres/postgres-credential-store.js';
import {
  AuditTrail,
  CertificateAuthority,
  CertificateStore,
  CredentialStore,
  DeploymentStore,
  EdgeSync,
  Secrets,
} from '../../domain/ports.js';
import { HttpAuditModule } from '../../gateways/http/http-audit.module.js';
import { requestValidation } from '../../gateways/http/validation.js';
import { AuthModule, AuthService } from '../auth/index.js';
import { CertificateOptions, CertificatesModule, CertificatesService } from './index.js';

jest.setTimeout(60_000);

const ALL = ['read', 'apps:write'] as const;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown> & { certificates?: Record<string, unknown>[] };
}

let postgres: TestDatabase;
let audit: AuditLog;
let app: INestApplication;
let url: string;
let own: KeyPair;
const sync = jest.fn(async () => undefined);
beforeAll(async () => {
  postgres = await startTestDatabase();
  const { database } = postgres;
  const { deployments, accept } = bound(new StoreProcess(database));
  await accept({ app_name: 'web' });
  await accept({ app_name: 'other' });
  audit = new AuditLog(database);
  // Nobody listens there: what is answered here does not depend on an authority.
  const directory = `https://127.0.0.1:${await freePort()}/dir`;
  const values = [
    [CredentialStore, new PostgresCredentialStore(database)],
    [AuditTrail, new PostgresAuditTrail(database)],
    [DeploymentStore, deployments],
    [CertificateStore, new PostgresCertificateStore(database)],
    [CertificateAuthority, new AcmeCertificateAuthority({ directory })],
    [CertificateOptions, new CertificateOptions(directory, 'operator@example.com')],
    [Secrets, new AesGcmSecrets(randomBytes(32))],
    [EdgeSync, { sync }],
  ] as const;
  const providers = values.map(([provide, useValue]) => ({ provide, useValue }));
  @Global()
  @Module({ providers, exports: providers })
  class PortsModule {}
  @Module({ imports: [PortsModule, AuthModule, HttpAuditModule, CertificatesModule.for('api')] })
  class TestModule {}
  app = await NestFactory.create(TestModule, { logger: false, abortOnError: false });
  app.useGlobalPipes(requestValidation());
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/api/v1`;
  own = await makeCertificate({ names: ['DNS:web.example'] });
});
afterAll(async () => {
  await app.close();
  await postgres.stop();
});
beforeEach(async () => {
  await postgres.database.query('truncate certificates');
  sync.mockClear();
});

function bound(process: StoreProcess): Pick<StoreProcess, 'deployments' | 'accept'> {
  return { deployments: process.deployments, accept: (fields) => process.accept(fields) };
}

async function token(scopes: readonly ('read' | 'apps:write')[] = ALL, apps?: readonly string[]): Promise<string> {
  return (await app.get(AuthService).createToken({ name: 'ci', scopes, apps })).token;
}

async function call(method: string, path: string, credentials: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${credentials}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, body: (text ? JSON.parse(text) : {}) as Answer['body'] };
}

async function upload(credentials: string, order: object = own, name = 'web'): Promise<Answer> {
  return call('PUT', `/apps/${name}/certificates`, credentials, order);
}

describe('an uploaded certificate', () => {
  it('is shown without its key, and served', async () => {
    const all = await token();
    const { status, body, text } = await upload(all);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.stringMatching(/^cert-/),
      app_name: 'web',
      environment: 'production',
      origin: 'own',
      state: 'issued',
      hosts: ['web.example'],
      issued_hosts: ['web.example'],
      issuer: 'CN=a test',
      serial_number: expect.stringMatching(/^[0-9A-F]+$/),
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      issued_at: expect.any(String),
      expires_at: expect.any(String),
      attempts: 0,
      created_at: expect.any(String),
    });
    expect((await call('GET', '/certificates', all)).body).toEqual({ certificates: [body] });
    expect((await call('GET', '/certificates?app_name=other', all)).body).toEqual({ certificates: [] });
    expect((await call('GET', '/apps/web/certificates?environment=production', all)).body).toEqual({
      certificates: [body],
    });
    expect(text).not.toMatch(/PRIVATE KEY|enc:v1/);
    expect(sync).toHaveBeenCalledTimes(1);
  });

  it.each<[string, () => object, number, string, string]>([
    ['a wrong key', () => ({ ...own, private_key: own.certificate }), 422, 'certificate_invalid', 'private_key'],
    ['garbage', () => ({ ...own, certificate: 'garbage' }), 422, 'certificate_invalid', 'certificate'],
    ['a wrong name', () => ({ ...own, hosts: ['x.example'] }), 422, 'certificate_invalid', 'hosts'],
    ['what is no name', () => ({ ...own, hosts: ['a b'] }), 400, 'invalid_field', 'hosts'],
    ['no key', () => ({ certificate: own.certificate }), 400, 'invalid_field', 'private_key'],
    ['a huge one', () => ({ ...own, certificate: 'A'.repeat(70_000) }), 400, 'invalid_field', 'certificate'],
    ['a huge key', () => ({ ...own, private_key: own.private_key.repeat(100) }), 400, 'invalid_field', 'private_key'],
    ['null', () => ({ ...own, environment: null }), 400, 'invalid_field', 'environment'],
    ['an unknown field', () => ({ ...own, key: own.private_key }), 400, 'unknown_field', 'key'],
  ])('is not %s, which is told without repeating it', async (_, order, status, code, path) => {
    const answer = await upload(await token(), order());
    expect([answer.status, answer.body['code'], answer.body['errors']]).toEqual([
      status,
      code,
      [{ path, message: expect.any(String) }],
    ]);
    expect(answer.text).not.toContain(own.private_key.split('\n')[1]);
    expect(sync).not.toHaveBeenCalled();
  });

  it('cannot be renewed, but removed, once', async () => {
    const all = await token();
    const id = String((await upload(all)).body['id']);
    const renewal = await call('POST', `/certificates/${id}/renew`, all);
    expect([renewal.status, renewal.body['code']]).toEqual([409, 'certificate_not_renewable']);
    expect((await call('DELETE', `/certificates/${id}`, all)).status).toBe(204);
    expect((await call('DELETE', `/certificates/${id}`, all)).status).toBe(404);
  });

  it('leaves a trail, when it is refused too', async () => {
    const all = await token();
    await audit.begin();
    const id = String((await upload(all)).body['id']);
    await upload(all, { ...own, certificate: 'x' });
    await call('DELETE', `/certificates/${id}`, all);
    expect(await audit.lines()).toEqual([
      'ci certificate.upload web/production succeeded',
      'ci certificate.upload web/production certificate_invalid',
      `ci certificate.delete ${id} succeeded`,
    ]);
    expect(JSON.stringify(await audit.entries())).not.toContain('PRIVATE KEY');
  });
});

describe('an ordered certificate', () => {
  it('shows that it is on its way, why it is not there, and is hastened', async () => {
    const all = await token();
    const service = app.get(CertificatesService);
    await service.wanted('web', 'production', ['web.example']);
    const [pending] = (await call('GET', '/apps/web/certificates', all)).body.certificates ?? [];
    expect(pending).toMatchObject({ origin: 'acme', state: 'pending', hosts: ['web.example'], attempts: 0 });
    await service.round();
    const [failed] = (await call('GET', '/apps/web/certificates', all)).body.certificates ?? [];
    expect(failed).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'acme_unreachable' } });
    const renewal = await call('POST', `/certificates/${String(failed?.['id'])}/renew`, all);
    expect([renewal.status, renewal.body['id']]).toEqual([202, failed?.['id']]);
    expect(Date.parse(String(renewal.body['next_attempt_at']))).toBeLessThan(
      Date.parse(String(failed?.['next_attempt_at'])),
    );
    expect((await call('DELETE', `/certificates/${String(failed?.['id'])}?reason=whim`, all)).status).toBe(400);
    expect((await call('DELETE', `/certificates/${String(failed?.['id'])}?reason=superseded`, all)).status).toBe(204);
  });
});

describe('credentials', () => {
  it('for other apps see and change nothing', async () => {
    const stranger = await token(ALL, ['other']);
    const id = String((await upload(await token())).body['id']);
    expect((await call('GET', '/certificates', stranger)).body).toEqual({ certificates: [] });
    const codes = [
      await call('GET', '/apps/web/certificates', stranger),
      await upload(stranger),
      await call('POST', `/certificates/${id}/renew`, stranger),
      await call('DELETE', `/certificates/${id}`, stranger),
    ].map(({ body }) => body['code']);
    expect(codes).toEqual(['app_not_found', 'app_not_found', 'certificate_not_found', 'certificate_not_found']);
  });

  it('to read do not write', async () => {
    const reader = await token(['read']);
    const id = String((await upload(await token())).body['id']);
    expect((await call('GET', '/certificates', reader)).status).toBe(200);
    const statuses = [
      await upload(reader),
      await call('POST', `/certificates/${id}/renew`, reader),
      await call('DELETE', `/certificates/${id}`, reader),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 403, 403]);
  });

  it('find no app that is not there', async () => {
    const all = await token();
    expect((await call('GET', '/apps/none/certificates', all)).body['code']).toBe('app_not_found');
    expect((await upload(all, own, 'none')).body['code']).toBe('app_not_found');
  });
});
