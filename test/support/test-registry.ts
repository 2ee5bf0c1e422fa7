/** A real image registry on a free loopback port, for one test file: with one user, or open to all. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

export interface TestRegistry {
  /** `127.0.0.1:port`, which Docker talks to without TLS. */
  readonly host: string;
  stop(): Promise<void>;
}

export const REGISTRY_USER = { username: 'pusher', password: 'p@ss:word' };
/** bcrypt of the password above. */
const HTPASSWD = 'pusher:$2b$05$abcdefghijklmnopqrstuuSI4PoNQsceL6SV39vJj2StwPSduG5K.\n';

/** Needs `docker-registry` (Debian's package). */
export async function startTestRegistry({ open = false } = {}): Promise<TestRegistry> {
  const root = await mkdtemp(join(tmpdir(), 'flukedeploy-registry-'));
  const port = await freePort();
  const config = join(root, 'config.yml');
  await writeFile(join(root, 'htpasswd'), HTPASSWD);
  await writeFile(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(root, 'data') } },
      http: { addr: `127.0.0.1:${port}` },
      ...(!open && { auth: { htpasswd: { realm: 'test', path: join(root, 'htpasswd') } } }),
    }),
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve, reject) => child.once('exit', () => resolve()).once('error', reject));
  const host = `127.0.0.1:${port}`;
  await until(async () => {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    return answer?.status === (open ? 200 : 401);
  }, 'the registry answers');
  return {
    host,
    stop: async () => {
      child.kill();
      await ended;
      await rm(root, { recursive: true });
    },
  };
}

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
