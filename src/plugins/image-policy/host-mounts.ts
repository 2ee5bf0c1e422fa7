/** Folders of the host that no app may have: with them a container is as mighty as the host itself. */
import { posix } from 'node:path';
import type { PluginDeployment } from '../../plugin/index.js';
import type { PolicyFinding } from './finding-codes.js';

const FORBIDDEN = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys', '/usr'],
  ...['/var/lib/containerd', '/var/lib/docker', '/var/run'],
];
/** Mounted by many, and harmless while they are only read. */
const HARMLESS = ['/etc/localtime', '/etc/timezone', '/usr/share/zoneinfo'];
const ENGINE_SOCKET = /\/(?:docker|containerd|podman|crio)\.sock$/;

/**
 * Capabilities and privileged mode need no look: FlukeDeploy has no way to grant them. Links on the host cannot be seen from here.
 */
export function mountFindings(volumes: PluginDeployment['volumes']): PolicyFinding[] {
  return volumes.flatMap(({ source, target, read_only }, index): PolicyFinding[] => {
    if (!source.startsWith('/')) return [];
    const path = posix.normalize(source).replace(/(?<=.)\/$/, '');
    const why = reason(path, read_only);
    if (why === undefined) return [];
    return [
      {
        severity: 'error',
        code: 'forbidden_mount',
        message: `${path} of the host is mounted at ${target}: ${why}.`,
        place: `volumes.${index}`,
        hint: 'Use a named volume, or a folder of the host that is made for this app.',
      },
    ];
  });
}

function reason(path: string, readOnly: boolean): string | undefined {
  if (ENGINE_SOCKET.test(path)) return 'who has the socket of the engine is root on the host';
  if (readOnly && HARMLESS.includes(path)) return undefined;
  const within = FORBIDDEN.find((folder) => isWithin(path, folder));
  if (within !== undefined) return `${within} belongs to the system`;
  const holds = FORBIDDEN.find((folder) => isWithin(folder, path));
  return holds && `it holds ${holds}, which belongs to the system`;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
