import { createPublicKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { hasPebble, startPebble, type Pebble } from '../../../test/support/pebble.js';
import { freePort } from '../../../test/support/test-registry.js';
import { until } from '../../../test/support/until.js';
import { OrderRefused, type ChallengeBoard, type EdgeChallenge } from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';
import { AcmeCertificateAuthority } from './acme-certificate-authority.js';

jest.setTimeout(60_000);

const NEVER = new AbortController().signal;
const published = new Map<string, EdgeChallenge>();
const board: ChallengeBoard = {
  publish: async (challenge) => void published.set(challenge.token, challenge),
  withdraw: async ({ token }) => void published.delete(token),
};

async function failureOf(work: Promise<unknown>): Promise<DeployError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeployError)) throw new Error(`not told: ${String(error)}`);
  return error;
}

(hasPebble ? describe : describe.skip)('an authority', () => {
  let pebble: Pebble;
  let authority: AcmeCertificateAuthority;
  let key: string;
  beforeAll(async () => {
    pebble = await startPebble(async () => [...published.values()]);
    const { directory, authorities } = pebble;
    authority = new AcmeCertificateAuthority({ directory, authorities, email: 'operator@example.com' });
    key = await authority.newAccountKey();
  });
  afterAll(() => pebble.stop());
  beforeEach(() => published.clear());

  it('signs one certificate for several names, of which pebble’s root approves', async () => {
    const hosts = ['one.example', 'two.example', 'three.example'];
    const { certificate, private_key } = await authority.issue(key, { hosts }, board, NEVER);
    const [leaf, intermediate] = certificate
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .filter((pem) => pem.trim() !== '')
      .map((pem) => new X509Certificate(pem));
    expect(hosts.map((host) => leaf!.checkHost(host))).toEqual(hosts);
    expect(leaf!.verify(intermediate!.publicKey)).toBe(true);
    expect(intermediate!.verify(new X509Certificate(await pebble.root()).publicKey)).toBe(true);
    expect(createPublicKey(private_key).equals(leaf!.publicKey)).toBe(true);
    expect(createPublicKey(private_key).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('needs no e-mail address, and knows its account again', async () => {
    const { directory, authorities } = pebble;
    const silent = new AcmeCertificateAuthority({ directory, authorities });
    const silentKey = await silent.newAccountKey();
    for (const host of ['first.example', 'second.example']) {
      const { certificate } = await silent.issue(silentKey, { hosts: [host] }, board, NEVER);
      expect(new X509Certificate(certificate).checkHost(host)).toBe(host);
    }
  });

  it('leaves nothing published behind', async () => {
    await authority.issue(key, { hosts: ['tidy.example'] }, board, NEVER);
    expect(published.size).toBe(0);
  });

  it('says which names failed, and why, and leaves nothing behind', async () => {
    await Promise.all(['lost.example', 'gone.example'].map((host) => pebble.mislead(host)));
    const hosts = ['good.example', 'lost.example', 'gone.example'];
    const error = await failureOf(authority.issue(key, { hosts }, board, NEVER));
    expect(error).toBeInstanceOf(OrderRefused);
    expect(error.code).toBe('acme_failed');
    expect((error as OrderRefused).refusals.map(({ host }) => host).sort()).toEqual(['gone.example', 'lost.example']);
    expect(error.evidence).toContainEqual(expect.stringMatching(/^lost\.example: .*127\.9\.9\.9.* \(connection\)$/));
    expect(published.size).toBe(0);
  });

  it('refuses a name with * before asking anybody', async () => {
    const error = await failureOf(authority.issue(key, { hosts: ['a.example', '*.b.example'] }, board, NEVER));
    expect((error as OrderRefused).refusals).toEqual([
      { host: '*.b.example', message: expect.stringContaining('only be proven over DNS') },
    ]);
  });

  it('revokes with a reason, and once is enough', async () => {
    const { certificate } = await authority.issue(key, { hosts: ['old.example'] }, board, NEVER);
    const { serialNumber } = new X509Certificate(certificate);
    expect(await pebble.status(serialNumber)).toMatchObject({ Status: 'Valid' });
    await authority.revoke(key, certificate, 'superseded');
    expect(await pebble.status(serialNumber)).toMatchObject({ Status: 'Revoked', Reason: 4 });
    await authority.revoke(key, certificate, 'superseded');
  });

  it('tells a refusal in the authority’s own words, with its type', async () => {
    const { certificate } = await authority.issue(key, { hosts: ['mine.example'] }, board, NEVER);
    const error = await failureOf(authority.revoke(await authority.newAccountKey(), certificate));
    expect(error.code).toBe('acme_failed');
    expect(error.message).toMatch(/ \(unauthorized\)$/);
  });

  it('stops when it is told to, and takes back what it published', async () => {
    const over = new AbortController();
    const hosts = ['slow.example'];
    const stuck: ChallengeBoard = {
      ...board,
      // The authority never finds it.
      publish: ({ token }) => board.publish({ token, key_authorization: 'not yet' }),
    };
    const publishing: ChallengeBoard = {
      ...stuck,
      publish: async (challenge) => {
        await stuck.publish(challenge);
        over.abort(new Error('shutdown'));
      },
    };
    await expect(authority.issue(key, { hosts }, publishing, over.signal)).rejects.toThrow('shutdown');
    await until(async () => published.size === 0, 'nothing is published');
  });

  it('is not trusted without its own authority', async () => {
    const stranger = new AcmeCertificateAuthority({ directory: pebble.directory });
    const error = await failureOf(stranger.issue(key, { hosts: ['a.example'] }, board, NEVER));
    expect(error.code).toBe('acme_unreachable');
    expect(error.message).toMatch(/certificate/);
  });

  it('is unreachable where nobody listens', async () => {
    const port = await freePort();
    const nobody = new AcmeCertificateAuthority({ directory: `https://127.0.0.1:${port}/dir` });
    const error = await failureOf(nobody.issue(key, { hosts: ['a.example'] }, board, NEVER));
    expect([error.code, error.message]).toEqual(['acme_unreachable', expect.stringContaining('ECONNREFUSED')]);
  });
});
