import { describe, expect, it } from '@jest/globals';
import { parseImageReference } from './image-reference.js';

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parseImageReference', () => {
  it.each([
    ['nginx', { name: 'nginx' }],
    ['nginx:1.27-alpine', { name: 'nginx', tag: '1.27-alpine' }],
    ['library/nginx:LATEST_1', { name: 'library/nginx', tag: 'LATEST_1' }],
    ['localhost/app', { name: 'localhost/app' }],
    ['localhost:5000/app:v1', { name: 'localhost:5000/app', tag: 'v1' }],
    ['127.0.0.1:5000/a/b/c', { name: '127.0.0.1:5000/a/b/c' }],
    ['[::1]:5000/app', { name: '[::1]:5000/app' }],
    ['Registry.Example.com/team/my_app', { name: 'Registry.Example.com/team/my_app' }],
    ['registry:5000/x', { name: 'registry:5000/x' }],
    ['a.b/c__d--e:t', { name: 'a.b/c__d--e', tag: 't' }],
    [`ghcr.io/o/r@${sha256}`, { name: 'ghcr.io/o/r', digest: sha256 }],
    [`ghcr.io/o/r:v2@${sha256}`, { name: 'ghcr.io/o/r', tag: 'v2', digest: sha256 }],
  ])('reads %s', (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts);
  });

  it.each([
    '',
    ' nginx',
    'nginx ',
    'nginx\n',
    '-nginx',
    '--privileged',
    'Nginx',
    'Team/app',
    'a/Team',
    '/nginx',
    'nginx/',
    'a//b',
    '../x',
    'a/../b',
    'nginx:',
    'nginx:-x',
    'nginx:a:b',
    `nginx:${'t'.repeat(129)}`,
    'nginx@',
    'nginx@sha256:abc',
    `nginx@${sha256.toUpperCase()}`,
    'nginx;id',
    'nginx$(id)',
    'nginx`id`',
    'nginx|id',
    'nginx&id',
    'nginx"',
    "nginx'",
    'nginx\\x',
    'http://nginx',
    'user@nginx',
    'host:port/x',
    'host:123456/x',
    'a___b',
    'ngïnx',
    '0123456789abcdef'.repeat(4),
    'a'.repeat(256),
    'a'.repeat(1_000_000),
    `${'a-'.repeat(100)}-`,
  ])('refuses %j', (text) => {
    expect(parseImageReference(text)).toBeUndefined();
  });
});
