/** Addresses of registries, and which one an image comes from. */
import { describe, expect, it } from '@jest/globals';
import { registryAddress, registryHost } from './registry-address.js';

describe('the address of a registry', () => {
  it.each([
    ['https://registry.example', { host: 'registry.example', prefix: '' }],
    ['https://registry.example:5000/team/apps/', { host: 'registry.example:5000', prefix: 'team/apps' }],
    ['https://me:secret@registry.example/team', { host: 'registry.example', prefix: 'team' }],
    ['https://index.docker.io/v1/', { host: 'docker.io', prefix: '' }],
    ['https://docker.io/me', { host: 'docker.io', prefix: 'me' }],
    ['registry.example', undefined],
    ['ftp://registry.example', undefined],
    ['https://registry.example/UPPER', undefined],
    ['https://registry.example/?a=b', undefined],
    ['https://registry.example/#a', undefined],
  ])('%s', (url, address) => {
    expect(registryAddress(url)).toEqual(address);
  });
});

it.each([
  ['nginx', 'docker.io'],
  ['nginx:1.27', 'docker.io'],
  ['me/web', 'docker.io'],
  ['index.docker.io/me/web', 'docker.io'],
  ['localhost/web', 'localhost'],
  ['registry:5000/web', 'registry:5000'],
  ['ghcr.io/me/web@sha256:0', 'ghcr.io'],
])('%s comes from %s', (image, host) => {
  expect(registryHost(image)).toBe(host);
});
