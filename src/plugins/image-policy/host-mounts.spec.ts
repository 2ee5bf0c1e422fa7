import { describe, expect, it } from '@jest/globals';
import { mountFindings } from './host-mounts.js';

const mount = (source: string, read_only = false) => mountFindings([{ source, target: '/inside', read_only }]);

describe('mounts of the host', () => {
  it.each([
    ['/', 'it holds /bin, which belongs to the system'],
    ['/etc', '/etc belongs to the system'],
    ['/etc/', '/etc belongs to the system'],
    ['/etc/ssl', '/etc belongs to the system'],
    ['/srv/../etc', '/etc belongs to the system'],
    ['//proc', '/proc belongs to the system'],
    ['/proc/1', '/proc belongs to the system'],
    ['/sys', '/sys belongs to the system'],
    ['/dev/sda', '/dev belongs to the system'],
    ['/root/.ssh', '/root belongs to the system'],
    ['/var', 'it holds /var/lib/containerd, which belongs to the system'],
    ['/var/lib/docker/volumes', '/var/lib/docker belongs to the system'],
    ['/var/run/docker.sock', 'who has the socket of the engine is root on the host'],
    ['/run/docker.sock', 'who has the socket of the engine is root on the host'],
    ['/srv/sockets/docker.sock', 'who has the socket of the engine is root on the host'],
    ['/run/user/1000/podman/podman.sock', 'who has the socket of the engine is root on the host'],
  ])('%s is forbidden', (source, why) => {
    expect(mount(source)).toEqual([
      {
        severity: 'error',
        code: 'forbidden_mount',
        message: expect.stringMatching(`mounted at /inside: ${why}\\.$`),
        place: 'volumes.0',
        hint: expect.stringContaining('named volume'),
      },
    ]);
    expect(mount(source, true)).toHaveLength(1);
  });

  it.each(['data', 'etc', '/srv/app', '/etcetera', '/home/app', '/var/lib/app', '/mnt/proc'])('%s is not', (source) => {
    expect(mount(source)).toEqual([]);
  });

  it('of the time zone may be read, and not be written', () => {
    expect(mount('/etc/localtime', true)).toEqual([]);
    expect(mount('/etc/localtime')).toHaveLength(1);
  });
});
