/** A real image registry on a free loopback port or in a namespace, for one test file: with one user, or open to all. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGate } from './namespace-gate.ts';
import { until } from './until.ts';

export interface TestRegistry {
  /** `127.0.0.1:port`, which Docker talks to without TLS, or the address that was asked for. */
  readonly host: string;
  stop(): Promise<void>;
}

export const REGISTRY_USER = { username: 'pusher', password: 'p@ss:word' };
/** bcrypt of the password above. */
const HTPASSWD = 'pusher:$2b$05$abcdefghijklmnopqrstuuSI4PoNQsceL6SV39vJj2StwPSduG5K.\n';

export interface TestRegistryOptions {
  /** Everybody may pull and push. */
  readonly open?: boolean;
  /** `address:port` to listen on. */
  readonly host?: string;
  /** What stands in front of its command, such as a namespace. */
  readonly inside?: readonly string[];
}

/** Needs `docker-registry` (Debian's package). */
export async function startTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const { open = false, inside = [] } = options;
  const root = await mkdtemp(join(tmpdir(), 'flukedeploy-registry-'));
  const host = options.host ?? `127.0.0.1:${await freePort()}`;
  const config = join(root, 'config.yml');
  await writeFile(join(root, 'htpasswd'), HTPASSWD);
  await writeFile(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(root, 'data') } },
      http: { addr: host },
      ...(!open && { auth: { htpasswd: { realm: 'test', path: join(root, 'htpasswd') } } }),
    }),
  );
  const [program, ...args] = [...inside, 'docker-registry', 'serve', config];
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve, reject) => child.once('exit', () => resolve()).once('error', reject));
  const gate = inside.length > 0 ? await openGate(inside, host) : undefined;
  await until(async () => {
    const answer = await fetch(`http://${gate?.host ?? host}/v2/`).catch(() => undefined);
    return answer?.status === (open ? 200 : 401);
  }, 'the registry answers');
  gate?.close();
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
