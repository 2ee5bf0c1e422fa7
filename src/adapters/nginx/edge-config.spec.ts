import { describe, expect, it } from '@jest/globals';
import type { EdgeState } from '../../domain/edge-ports.js';
import type { Backend, Traffic } from '../../domain/traffic.js';
import { edgeConfig, revisionIn } from './edge-config.js';
import { sampleOf } from './edge-log.js';
import { secretAddress } from './edge-tunnel-secret.js';

const OPTIONS = { httpsPort: 443, tunnelAddress: secretAddress('secret'), drainSeconds: 60, bodyMegabytes: 512 };
const backend = (fields: Partial<Backend> = {}): Backend => ({
  service: 'shop-web-r1',
  deployment_id: 'dep-1',
  release: 1,
  port: 3000,
  ...fields,
});
const traffic = (fields: Partial<Traffic> = {}): Traffic => ({
  app_name: 'web',
  environment: 'production',
  project: 'shop',
  hosts: ['web.test'],
  force_https: false,
  stable: [backend()],
  ...fields,
});
const state = (fields: Partial<EdgeState> = {}): EdgeState => ({
  traffic: [traffic()],
  certificates: [],
  challenges: [],
  ...fields,
});
const text = (fields: Partial<EdgeState> = {}) => edgeConfig(state(fields), OPTIONS).text;
/** The block that begins with this line, without indentation. */
function blockOf(config: string, head: string): string[] {
  const all = config.split('\n');
  const start = all.findIndex((line) => line.trim() === head);
  const indent = /^ */.exec(all[start] ?? '')?.[0] ?? '';
  const end = all.indexOf(`${indent}}`, start);
  return all.slice(start + 1, end).map((line) => line.trim());
}

describe('the file', () => {
  it('is equal for equal states, whatever the order', () => {
    const one = traffic({ app_name: 'one', hosts: ['b.test', 'a.test'] });
    const two = traffic({ app_name: 'two', hosts: ['c.test'], stable: [backend(), backend({ service: 'other' })] });
    const turned = { ...two, stable: [...two.stable].reverse() };
    expect(text({ traffic: [one, two] })).toBe(
      text({ traffic: [turned, { ...one, hosts: ['a.test', 'b.test', 'a.test'] }] }),
    );
  });

  it('bears its revision, which changes with it', () => {
    const { text: first, revision } = edgeConfig(state(), OPTIONS);
    expect(revisionIn(first)).toBe(revision);
    expect(first).toContain(`return 200 '${revision}'`);
    expect(edgeConfig(state({ traffic: [] }), OPTIONS).revision).not.toBe(revision);
    expect(revisionIn('events {}')).toBeUndefined();
  });
});

describe('groups', () => {
  it('follow the DNS name of a service, or hold the given addresses', () => {
    const named = text({ traffic: [traffic({ stable: [backend(), backend({ service: 'shop-web-r2' })] })] });
    expect(blockOf(named, 'upstream fd_web_production_stable {')).toEqual([
      'zone fd_web_production_stable 256k;',
      'server shop-web-r1:3000 resolve max_fails=1 fail_timeout=2s;',
      'server shop-web-r2:3000 resolve max_fails=1 fail_timeout=2s;',
      'keepalive 32;',
      'keepalive_timeout 4s;',
    ]);
    const given = text({ traffic: [traffic({ stable: [backend({ addresses: ['10.0.1.6', '10.0.1.5'] })] })] });
    expect(blockOf(given, 'upstream fd_web_production_stable {').slice(1, 3)).toEqual([
      'server 10.0.1.5:3000 max_fails=1 fail_timeout=2s;',
      'server 10.0.1.6:3000 max_fails=1 fail_timeout=2s;',
    ]);
    expect(given).not.toContain('shop-web-r1');
  });

  it.each([[[]], [[backend({ addresses: [] })]]])('are left out where nothing is in them: %j', (stable) => {
    const config = text({ traffic: [traffic({ stable })] });
    expect(config).not.toContain('upstream fd_web');
    expect(config).toContain("return 503 'Nothing serves");
  });

  it('have one name per app and environment', () => {
    const one = traffic({ app_name: 'a--b', environment: 'c' });
    const other = traffic({ app_name: 'a', environment: 'b--c', hosts: ['other.test'] });
    const config = text({ traffic: [one, other] });
    expect(config).toContain('upstream fd_a--b_c_stable {');
    expect(config).toContain('upstream fd_a_b--c_stable {');
  });
});

describe('a canary', () => {
  const canary = { backend: backend({ service: 'shop-web-r2' }), weight: 10, match: [] } as const;

  it('shares in turn', () => {
    const config = text({ traffic: [traffic({ canary: { ...canary, stickiness: 'none' } })] });
    expect(blockOf(config, 'upstream fd_web_production_split {')).toEqual([
      'zone fd_web_production_split 256k;',
      'server unix:/dev/shm/flukedeploy-stable.sock weight=90 max_fails=0;',
      'server unix:/dev/shm/flukedeploy-canary.sock weight=10 max_fails=0;',
    ]);
  });

  it('shares by visitor, the canary first in the scale', () => {
    const config = text({ traffic: [traffic({ canary: { ...canary, stickiness: 'cookie' } })] });
    expect(blockOf(config, 'split_clients $fd_visitor $fd_lot_web_production {')).toEqual([
      '10% fd_hop_canary;',
      '* fd_hop_stable;',
    ]);
    expect(config).toContain('add_header Set-Cookie');
  });

  it.each([
    [0, 'fd_hop_stable'],
    [100, 'fd_hop_canary'],
  ])('of %d percent needs no share', (weight, route) => {
    const config = text({ traffic: [traffic({ canary: { ...canary, stickiness: 'none', weight } })] });
    expect(blockOf(config, 'map "" $fd_route_web_production {')).toEqual([`default ${route};`, '~1 fd_hop_canary;']);
    expect(config).not.toContain('weight=');
  });

  it('alone is recorded', () => {
    const both = [traffic({ canary: { ...canary, stickiness: 'none' } }), traffic({ app_name: 'calm', hosts: [] })];
    expect(blockOf(text({ traffic: both }), 'map $http_x_flukedeploy_app $fd_recorded {')).toEqual([
      "default '';",
      'web_production 1;',
    ]);
  });
});

describe('a canary of which no replica is left', () => {
  const lost = { backend: backend({ service: 'shop-web-r2', addresses: [] }), weight: 10, match: [] } as const;

  it.each(['none', 'cookie'] as const)(
    'gives its share to the stable version, unrecorded (stickiness %s)',
    (stickiness) => {
      const config = text({ traffic: [traffic({ canary: { ...lost, stickiness } })] });
      const ofApp = (name: string) => blockOf(config, `map $http_x_flukedeploy_app ${name} {`);
      expect(ofApp('$fd_canary')).toEqual(ofApp('$fd_stable'));
      expect(ofApp('$fd_canary')).toEqual(["default '';", 'web_production fd_web_production_stable;']);
      expect(ofApp('$fd_canary_name')).toEqual(ofApp('$fd_stable_name'));
      expect(ofApp('$fd_recorded')).toEqual(["default '';"]);
      expect(config).not.toContain('upstream fd_web_production_canary {');
    },
  );
});

describe('what cannot be in the file', () => {
  const evil = ['', 'a b', 'a;b', 'a{b', 'a}b', 'a"b', "a'b", 'a\nb', 'a$b', 'a\\b', '#a', 'é', '../a', 'a_b;', 'a\0'];
  const places: Record<string, (value: string) => Partial<EdgeState>> = {
    'app name': (app_name) => ({ traffic: [traffic({ app_name })] }),
    environment: (environment) => ({ traffic: [traffic({ environment })] }),
    'host name': (host) => ({ traffic: [traffic({ hosts: [host] })] }),
    service: (service) => ({ traffic: [traffic({ stable: [backend({ service })] })] }),
    address: (address) => ({ traffic: [traffic({ stable: [backend({ addresses: [address] })] })] }),
    'preview host': (host) => ({ traffic: [traffic({ preview: { host, backend: backend() } })] }),
    'header of a match': (header) => ({ traffic: [matching({ header, value: 'x' })] }),
    'cookie of a match': (cookie) => ({ traffic: [matching({ cookie, value: 'x' })] }),
    'challenge token': (token) => ({ challenges: [{ token, key_authorization: 'a.b' }] }),
    'key authorization': (value) => ({ challenges: [{ token: 'a', key_authorization: value }] }),
    'captain host': (host) => ({ captain: { host, upstream: '10.0.0.1:3000' } }),
    'captain upstream': (upstream) => ({ captain: { host: 'captain.test', upstream } }),
    'certificate host': (host) => ({ certificates: [{ hosts: [host], certificate: 'c', private_key: 'k' }] }),
  };
  const matching = (match: { header: string; value: string } | { cookie: string; value: string }) =>
    traffic({ canary: { backend: backend(), weight: 10, stickiness: 'none', match: [match] } });

  it.each(Object.keys(places))('is refused as %s', (place) => {
    for (const value of evil) {
      expect(() => text(places[place]!(value))).toThrow(expect.objectContaining({ code: 'edge_rejected' }));
    }
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN])('is refused as a port: %d', (port) => {
    expect(() => text({ traffic: [traffic({ stable: [backend({ port })] })] })).toThrow(/port/);
  });

  it.each([-1, 101, 0.5])('is refused as a weight: %d', (weight) => {
    const canary = { backend: backend(), weight, stickiness: 'none', match: [] } as const;
    expect(() => text({ traffic: [traffic({ canary })] })).toThrow(/weight/);
  });

  it('is written by its codes as a value to match', () => {
    const config = text({ traffic: [matching({ header: 'X-Who', value: 'a"; }\\$é' })] });
    expect(config).toContain('"~^a\\x22\\x3b\\x20\\x7d\\x5c\\x24\\xc3\\xa9\\z" 1;');
    expect(() => text({ traffic: [matching({ header: 'X-Who', value: 'a\nb' })] })).toThrow(/value to match/);
  });

  it('is a name with two owners', () => {
    const two = [traffic(), traffic({ app_name: 'other' })];
    expect(() => text({ traffic: two })).toThrow('The host name "web.test" is there twice.');
    expect(() => text({ traffic: [traffic(), traffic({ hosts: [] })] })).toThrow(/app "web_production" is there twice/);
  });

  it('is a private key', () => {
    const certificates = [{ hosts: ['web.test'], certificate: 'chain', private_key: 'private' }];
    expect(text({ certificates })).not.toMatch(/private|chain/);
  });
});

describe('certificates', () => {
  const certificate = (...hosts: string[]) => ({ hosts, certificate: hosts.join(), private_key: 'key' });
  const files = (config: string) => new Set(config.match(/certificates\/\w+\.pem/g)).size;

  it('are chosen by the exact name first', () => {
    const both = [certificate('*.test'), certificate('web.test')];
    const config = text({ traffic: [traffic({ hosts: ['web.test', 'a.b.test', 'test'] })], certificates: both });
    expect(files(config)).toBe(1);
    expect(files(text({ traffic: [traffic({ hosts: ['web.test', 'www.test'] })], certificates: both }))).toBe(2);
  });

  it('redirect where it is asked for', () => {
    const certificates = [certificate('web.test')];
    const forced = [traffic({ force_https: true })];
    expect(text({ traffic: forced, certificates })).toContain('return 308 https://$host$request_uri;');
    expect(edgeConfig(state({ traffic: forced, certificates }), { ...OPTIONS, httpsPort: 8443 }).text).toContain(
      'return 308 https://$host:8443$request_uri;',
    );
    expect(text({ traffic: forced })).not.toContain('return 308');
    expect(text({ certificates })).not.toContain('return 308');
  });
});

describe('lines of the log', () => {
  const line = (app: string, version = 'canary') =>
    `{"flukedeploy_request":{"app":"${app}","version":"${version}","status":502,"seconds":0.123,"at":1700000000.5}}`;

  it('become samples of their app', () => {
    expect(sampleOf(line('web_production'), 'web_production')).toEqual({
      at: '2023-11-14T22:13:20.500Z',
      version: 'canary',
      status: 502,
      duration_ms: 123,
    });
  });

  it.each([line('other_production'), line('web_production', 'x'), '', 'GET / 200', '{"other":{}}'])(
    'or not: %s',
    (text) => {
      expect(sampleOf(text, 'web_production')).toBeUndefined();
    },
  );
});

describe('the address of the tunnel', () => {
  it('is an IPv6 address that only the secret gives', () => {
    expect(secretAddress('secret')).toMatch(/^fd[0-9a-f]{2}(:[0-9a-f]{4}){7}$/);
    expect(secretAddress('secret')).toBe(secretAddress('secret'));
    expect(secretAddress('other')).not.toBe(secretAddress('secret'));
  });
});
