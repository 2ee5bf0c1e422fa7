import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { OrderRefused, type CertificateClaim, type StoredCertificate } from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';
import { PostgresCertificateStore } from './postgres-certificate-store.js';

jest.setTimeout(60_000);

const APP = { app_name: 'web', environment: 'production' };
const LATER = '2099-01-01T00:00:00.000Z';
const BEFORE = '2020-01-01T00:00:00.000Z';
const LEASE_MS = 60_000;

let postgres: TestDatabase;
let store: PostgresCertificateStore;
let ids: number;
const newId = (): string => `cert-${++ids}`;
beforeAll(async () => {
  postgres = await startTestDatabase();
  store = new PostgresCertificateStore(postgres.database);
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ids = 0;
  await postgres.database.query('truncate acme_accounts, acme_challenges, certificates');
});

function stored(hosts: readonly string[], more: Partial<StoredCertificate> = {}): StoredCertificate {
  return { hosts, certificate: 'PEM', private_key: 'sealed', issued_at: BEFORE, expires_at: LATER, ...more };
}

async function claimed(): Promise<CertificateClaim> {
  const claim = await store.claim(LEASE_MS);
  if (claim === undefined) throw new Error('nothing is due');
  return claim;
}

/** What the app wants and has, in short. */
async function shelf(): Promise<string[]> {
  const records = await store.list(APP);
  return records
    .map(
      ({ hosts, state, issued, alone }) =>
        `${state}${alone ? ' alone' : ''} ${hosts.join()} has ${issued?.hosts.join() ?? 'none'}`,
    )
    .sort();
}

const refused = (...hosts: string[]): OrderRefused =>
  new OrderRefused(
    'acme_failed',
    hosts.map((host) => ({ host, message: `no ${host}` })),
  );

describe('the account', () => {
  it('has one key, whoever makes it at the same moment', async () => {
    const kept = await Promise.all(
      Array.from({ length: 10 }, (_, index) => store.keepAccountKey('dir', `key ${index}`)),
    );
    expect(new Set(kept)).toEqual(new Set([await store.accountKey('dir')]));
    expect(await store.accountKey('another')).toBeUndefined();
  });
});

describe('challenges', () => {
  it('are there from publishing to withdrawing, or for an hour', async () => {
    const one = { token: 'one', key_authorization: 'one.x' };
    await store.publish(one);
    await store.publish({ token: 'two', key_authorization: 'two.x' });
    await store.withdraw({ token: 'two', key_authorization: 'two.x' });
    expect(await store.challenges()).toEqual([one]);
    await postgres.database.query(`update acme_challenges set published_at = published_at - interval '61 minutes'`);
    expect(await store.challenges()).toEqual([]);
    await store.prune();
    expect(await postgres.database.query('select 1 from acme_challenges')).toEqual([]);
  });
});

describe('what an app wants', () => {
  it('is one certificate for all names, due at once', async () => {
    expect(await store.want(APP, ['a', 'b'], newId)).toBe(true);
    expect(await store.want(APP, ['b', 'a'], newId)).toBe(false);
    expect(await shelf()).toEqual(['pending a,b has none']);
    expect((await claimed()).record).toMatchObject({ id: 'cert-1', hosts: ['a', 'b'] });
  });

  it('is declared by many at once, and ordered once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => store.want(APP, ['a', 'b'], newId)));
    expect(await shelf()).toEqual(['pending a,b has none']);
  });

  it('grows: the certificate there is stays, and is due', async () => {
    await store.want(APP, ['a'], newId);
    await store.issued(await claimed(), stored(['a']), LATER);
    expect(await store.claim(LEASE_MS)).toBeUndefined();
    await store.want(APP, ['a', 'b'], newId);
    expect(await shelf()).toEqual(['issued a,b has a']);
    expect((await claimed()).record.hosts).toEqual(['a', 'b']);
  });

  it('grows while it is ordered: then it is due again', async () => {
    await store.want(APP, ['a'], newId);
    const claim = await claimed();
    await store.want(APP, ['a', 'b'], newId);
    expect(await store.claim(LEASE_MS)).toBeUndefined();
    expect(await store.issued(claim, stored(['a']), LATER)).toBe(true);
    expect((await claimed()).record.hosts).toEqual(['a', 'b']);
  });

  it('shrinks and comes back without a new order', async () => {
    await store.want(APP, ['a', 'b'], newId);
    await store.issued(await claimed(), stored(['a', 'b']), LATER);
    await store.want(APP, [], newId);
    expect(await shelf()).toEqual(['issued  has a,b']);
    expect(await store.hasten('cert-1')).toBe(false);
    await store.want(APP, ['b'], newId);
    expect(await shelf()).toEqual(['issued b has a,b']);
    expect(await store.claim(LEASE_MS)).toBeUndefined();
  });

  it('is not renewed once nobody wants it, and forgotten once it has expired', async () => {
    await store.want(APP, ['a'], newId);
    await store.issued(await claimed(), stored(['a']), BEFORE);
    await store.want(APP, [], newId);
    expect(await store.claim(LEASE_MS)).toBeUndefined();
    await store.prune();
    expect(await store.find('cert-1')).toBeDefined();
    await postgres.database.query('update certificates set expires_at = $1', [BEFORE]);
    await store.prune();
    expect(await store.find('cert-1')).toBeUndefined();
  });

  it('is known of others', async () => {
    await store.want(APP, ['a'], newId);
    expect(await store.wantedByOther({ ...APP, app_name: 'other' }, ['x', 'a'])).toBe('web');
    expect(await store.wantedByOther(APP, ['a'])).toBeUndefined();
    expect(await store.wishes()).toEqual([{ ...APP, hosts: ['a'] }]);
  });
});

describe('a claim', () => {
  it('is had by one of many', async () => {
    await store.want(APP, ['a'], newId);
    const claims = await Promise.all(Array.from({ length: 10 }, () => store.claim(LEASE_MS)));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  it('that ran out is taken over, and its old holder writes nothing', async () => {
    await store.want(APP, ['a'], newId);
    const late = await claimed();
    await postgres.database.query(`update certificates set lease_until = clock_timestamp() - interval '1 second'`);
    const next = await claimed();
    expect(await store.issued(late, stored(['a']), LATER)).toBe(false);
    expect(await store.failed(late, new DeployError('acme_failed'), 0)).toBe(false);
    expect(await store.split(late, refused('a'), 0, newId)).toBe(false);
    expect(await store.postpone(late, 0)).toBe(false);
    expect(await store.issued(next, stored(['a'], { certificate: 'the next' }), LATER)).toBe(true);
    expect((await store.list(APP)).map(({ issued }) => issued?.certificate)).toEqual(['the next']);
  });

  it('that is given back is free at once', async () => {
    await store.want(APP, ['a'], newId);
    await store.postpone(await claimed(), 0);
    expect((await claimed()).record.attempts).toBe(0);
  });
});

describe('a failure', () => {
  it('is kept with its words, and waits', async () => {
    await store.want(APP, ['a'], newId);
    await store.failed(await claimed(), new DeployError('acme_rate_limited', 'too many'), 60_000);
    const [record] = await store.list(APP);
    expect(record).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { code: 'acme_rate_limited', message: 'too many' },
    });
    expect(await store.claim(LEASE_MS)).toBeUndefined();
    expect(await store.hasten('cert-1')).toBe(true);
    await store.issued(await claimed(), stored(['a']), LATER);
    expect((await store.list(APP))[0]).not.toHaveProperty('error');
  });

  it('to renew leaves the certificate that works, until it has expired', async () => {
    await store.want(APP, ['a'], newId);
    await store.issued(await claimed(), stored(['a']), BEFORE);
    await store.failed(await claimed(), new DeployError('acme_failed'), 0);
    expect(await shelf()).toEqual(['issued a has a']);
    expect(await store.live()).toHaveLength(1);
    await postgres.database.query('update certificates set expires_at = $1', [BEFORE]);
    await store.failed(await claimed(), new DeployError('acme_failed'), 0);
    expect(await shelf()).toEqual(['failed a has a']);
    expect(await store.live()).toEqual([]);
  });

  it('of some names lets the others go on at once', async () => {
    await store.want(APP, ['a', 'b', 'c'], newId);
    expect(await store.split(await claimed(), refused('b', 'unknown'), 60_000, newId)).toBe(true);
    expect(await shelf()).toEqual(['failed alone b has none', 'pending a,c has none']);
    expect((await claimed()).record.hosts).toEqual(['a', 'c']);
    expect(await store.claim(LEASE_MS)).toBeUndefined();
    // Declared again it stays as it is.
    expect(await store.want(APP, ['a', 'b', 'c'], newId)).toBe(false);
  });

  it('of some names at a renewal takes no name its certificate', async () => {
    await store.want(APP, ['a', 'b'], newId);
    await store.issued(await claimed(), stored(['a', 'b']), BEFORE);
    await store.split(await claimed(), refused('b'), 60_000, newId);
    await store.issued(await claimed(), stored(['a'], { certificate: 'new' }), LATER);
    expect(await shelf()).toEqual(['issued a has a', 'issued alone b has a,b']);
  });
});

describe('an own certificate', () => {
  it('takes the place of those for no other names', async () => {
    await store.keepOwn(APP, 'one', stored(['a', 'b']));
    await store.keepOwn(APP, 'two', stored(['c']));
    await store.keepOwn({ ...APP, app_name: 'other' }, 'three', stored(['a']));
    const record = await store.keepOwn(APP, 'four', stored(['a', 'b', 'd']));
    expect(record).toMatchObject({ id: 'four', origin: 'own', state: 'issued', hosts: ['a', 'b', 'd'] });
    expect((await store.list({})).map(({ id }) => id).sort()).toEqual(['four', 'three', 'two']);
    expect((await store.list({ apps: ['oth*'] })).map(({ id }) => id)).toEqual(['three']);
    expect(await store.hasten('four')).toBe(false);
  });
});

describe('a revoked certificate', () => {
  it('that others share makes them due', async () => {
    await store.want(APP, ['a', 'b'], newId);
    await store.issued(await claimed(), stored(['a', 'b']), BEFORE);
    await store.split(await claimed(), refused('b'), 60_000, newId);
    await store.issued(await claimed(), stored(['a'], { certificate: 'new' }), LATER);
    await store.keepOwn(APP, 'own', stored(['x']));
    await postgres.database.query(`update certificates set certificate = 'PEM' where id = 'cert-1'`);
    await store.revoked('cert-2');
    expect((await claimed()).record.id).toBe('cert-1');
    expect(await store.claim(LEASE_MS)).toBeUndefined();
  });

  it('is neither served nor renewed, and an order for it comes too late', async () => {
    await store.want(APP, ['a'], newId);
    await store.issued(await claimed(), stored(['a']), BEFORE);
    const claim = await claimed();
    await store.revoked('cert-1');
    expect(await store.live()).toEqual([]);
    expect(await store.issued(claim, stored(['a']), LATER)).toBe(false);
    expect(await store.remove('cert-1')).toBe(true);
    expect(await store.remove('cert-1')).toBe(false);
  });
});
