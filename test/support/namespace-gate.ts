/** A port of this machine's loopback behind which is an address that only a network namespace can reach. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./namespace-gate.process.ts', import.meta.url));

export interface NamespaceGate {
  /** `127.0.0.1:port` */
  readonly host: string;
  close(): void;
}

/**
 * A socket stays in the namespace in which it was made: the one that listens is made here and handed to a process in there.
 * @param inside what stands in front of a command so that it runs there
 * @param target `host:port`
 */
export async function openGate(inside: readonly string[], target: string): Promise<NamespaceGate> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [execPath, ...execArgv] = [...inside, process.execPath];
  const child = fork(PROGRAM, { execPath, execArgv });
  await new Promise<void>((resolve, reject) =>
    child.send(target, server, (error) => (error ? reject(error) : resolve())),
  );
  server.close();
  return { host: `127.0.0.1:${port}`, close: () => child.disconnect() };
}
