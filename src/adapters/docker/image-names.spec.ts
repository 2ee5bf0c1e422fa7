import { describe, expect, it } from '@jest/globals';
import { parseReference, pinnedReference } from './image-reference.js';
import { buildFailure, registryFailure } from './registry-failure.js';
import { parseRegistryUrl, registryAuth, registryLogins, repositoryIn } from './registry-location.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['nginx', 'nginx', 'nginx:latest'],
    ['nginx:1', 'nginx', 'nginx:1'],
    ['localhost:5000/web', 'localhost:5000/web', 'localhost:5000/web:latest'],
    ['localhost:5000/web:2', 'localhost:5000/web', 'localhost:5000/web:2'],
    [`nginx@${DIGEST}`, 'nginx', `nginx@${DIGEST}`],
    [`localhost:5000/web:2@${DIGEST}`, 'localhost:5000/web', `localhost:5000/web@${DIGEST}`],
    [DIGEST, '', DIGEST],
  ])('%s', (reference, repository, name) => {
    expect(parseReference(reference)).toMatchObject({ repository, name });
  });
});

it('pins an image to the digest of the repository that was asked for', () => {
  const digests = [`other/web@${DIGEST}`, `nginx@${DIGEST}`];
  expect(pinnedReference(digests, 'docker.io/library/nginx')).toBe(`nginx@${DIGEST}`);
  expect(pinnedReference(digests, 'unknown')).toBe(`other/web@${DIGEST}`);
  expect(pinnedReference([])).toBeUndefined();
});

describe('a registry', () => {
  it('is read from its URL', () => {
    expect(parseRegistryUrl('https://me:p%40ss@registry.example:5000/team/apps/')).toEqual({
      host: 'registry.example:5000',
      prefix: 'team/apps',
      username: 'me',
      password: 'p@ss',
    });
    expect(parseRegistryUrl('http://127.0.0.1:5000')).toEqual({ host: '127.0.0.1:5000', prefix: '' });
  });

  it.each(['registry.example', 'ftp://registry.example', 'https://me:secret@host/UPPER', 'https://me:secret@'])(
    'is not %s, and the error does not hold the password',
    (url) => {
      expect(() => parseRegistryUrl(url)).toThrow(/REGISTRY_URL/);
      expect(() => parseRegistryUrl(url)).not.toThrow(/secret/);
    },
  );

  it('is shown its login, and no other registry is', () => {
    const registry = parseRegistryUrl('https://me:secret@registry.example');
    expect(registryAuth([registry], repositoryIn(registry, 'web'))).toEqual({
      username: 'me',
      password: 'secret',
      serveraddress: 'registry.example',
    });
    expect(registryAuth([registry], 'registry.example.evil/web')).toEqual({});
    expect(registryAuth([registry], 'nginx')).toEqual({});
    expect(registryAuth([], 'nginx')).toEqual({});
  });

  it('is shown the login of the path that fits best, and Docker Hub that of images without a host', () => {
    const all = ['https://a:1@registry.example', 'https://b:2@registry.example/team', 'https://c:3@docker.io'];
    const registries = all.map(parseRegistryUrl);
    const userFor = (image: string) => registryAuth(registries, image)['username'];
    expect(userFor('registry.example/team/web:1')).toBe('b');
    expect(userFor('registry.example/teams/web:1')).toBe('a');
    expect(['nginx', 'me/web', 'docker.io/me/web', 'registry-1.docker.io/me/web'].map(userFor)).toEqual(
      Array.from({ length: 4 }, () => 'c'),
    );
    expect(userFor('localhost/web')).toBeUndefined();
    expect(Object.keys(registryLogins(registries)).sort()).toEqual(['https://index.docker.io/v1/', 'registry.example']);
  });
});

describe('what a registry says', () => {
  it.each([
    [
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host',
      'registry_unreachable',
    ],
    [
      'Get "https://r.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
      'registry_unreachable',
    ],
    ['Get "https://r.example/v2/": net/http: TLS handshake timeout', 'registry_unreachable'],
    ['received unexpected HTTP status: 503 Service Unavailable', 'registry_unreachable'],
    [
      "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      'image_not_found',
    ],
    ['manifest for nginx:nope not found: manifest unknown: manifest unknown', 'image_not_found'],
    ['unauthorized: authentication required', 'registry_denied'],
    ['denied: requested access to the resource is denied', 'registry_denied'],
    ['no basic auth credentials', 'registry_denied'],
    ['no space left on device', undefined],
  ])('%s', (message, code) => {
    expect(registryFailure(message, 'nginx:1')?.code).toBe(code);
  });
});

describe('why a build failed', () => {
  it.each([
    [
      'failed to solve with frontend dockerfile.v0: failed to solve with frontend gateway.v0: rpc error: code = Unknown desc = failed to build LLB: executor failed running [/bin/sh -c make all]: exit code: 2',
      'build_failed',
      'The build step "make all" ended with code 2.',
    ],
    [
      "The command '/bin/sh -c make all' returned a non-zero code: 2",
      'build_failed',
      'The build step "make all" ended with code 2.',
    ],
    [
      'process "/bin/sh -c curl https://r.example || echo dial tcp: no such host" did not complete successfully: exit code: 1',
      'build_failed',
      'The build step "curl https://r.example || echo dial tcp: no such host" ended with code 1.',
    ],
    [
      'dockerfile parse error line 2: unknown instruction: NOPE',
      'build_failed',
      'The build failed: dockerfile parse error line 2: unknown instruction: NOPE',
    ],
    [
      'failed to compute cache key: "/nope" not found: not found',
      'build_failed',
      'The build failed: failed to compute cache key: "/nope" not found: not found',
    ],
  ])('%s', (message, code, plain) => {
    expect(buildFailure(message, ['last line'])).toMatchObject({ code, message: plain, evidence: ['last line'] });
  });

  it.each([
    [
      'failed to do request: Head "https://nope.example/v2/x/manifests/1": dial tcp: lookup nope.example: no such host',
      'registry_unreachable',
    ],
    ["pull access denied for nope, repository does not exist or may require 'docker login'", 'image_not_found'],
  ])('%s', (message, code) => {
    expect(buildFailure(message, []).code).toBe(code);
  });
});
