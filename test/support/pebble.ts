/** Pebble, the ACME test authority of Let's Encrypt, with a DNS of its own and the edge that it asks: for one test file. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeChallenge } from '../../src/domain/edge-ports.js';
import { makeCertificate } from './test-certificates.js';
import { freePort } from './test-registry.js';
import { until } from './until.js';

/** Debian's package `pebble` brings both programs. */
export const hasPebble = ['pebble', 'pebble-challtestsrv'].every(
  (program) => spawnSync(program, ['-help']).error === undefined,
);

export interface Pebble {
  /** URL of the directory. */
  readonly directory: string;
  /** PEM of what its own HTTPS is signed by. */
  readonly authorities: string;
  /** PEM of what it signs certificates with. */
  root(): Promise<string>;
  /** `Valid`, `Revoked`, … of a certificate, by its serial number in hexadecimal, with the reason. */
  status(serial: string): Promise<{ Status: string; Reason?: number }>;
  /** Makes the name lead somewhere else, where nobody listens, or back here. */
  mislead(host: string): Promise<void>;
  correct(host: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Every name leads to this machine, and there to the edge of this port, or to an HTTP server made here that serves the challenges it
 * is told.
 */
export async function startPebble(answers: number | (() => Promise<readonly EdgeChallenge[]>)): Promise<Pebble> {
  const root = await mkdtemp(join(tmpdir(), 'flukedeploy-pebble-'));
  const edge =
    typeof answers === 'number' ? { port: answers, stop: async () => undefined } : await startChallengeEdge(answers);
  const [port, managementPort, dnsPort, dnsManagementPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const authority = await makeCertificate({ authority: true });
  const own = await makeCertificate({ names: ['IP:127.0.0.1'], issuer: authority });
  await writeFile(join(root, 'certificate.pem'), own.certificate);
  await writeFile(join(root, 'key.pem'), own.private_key);
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: join(root, 'certificate.pem'),
    privateKey: join(root, 'key.pem'),
    httpPort: edge.port,
    tlsPort: 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  await writeFile(join(root, 'config.json'), JSON.stringify({ pebble: config }));
  const children = [
    start('pebble-challtestsrv', [
      ...['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagementPort}`],
      ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
    ]),
    start('pebble', ['-config', join(root, 'config.json'), '-dnsserver', `127.0.0.1:${dnsPort}`]),
  ];
  const management = (path: string): Promise<string> =>
    get(`https://127.0.0.1:${managementPort}${path}`, authority.certificate);
  const dns = async (path: string, body: object): Promise<void> => {
    await fetch(`http://127.0.0.1:${dnsManagementPort}/${path}`, { method: 'POST', body: JSON.stringify(body) });
  };
  await until(() => management('/roots/0').catch(() => undefined), 'pebble answers');
  await until(
    () =>
      dns('clear-a', { host: 'none.' }).then(
        () => true,
        () => undefined,
      ),
    'the test DNS answers',
  );
  return {
    directory: `https://127.0.0.1:${port}/dir`,
    authorities: authority.certificate,
    root: () => management('/roots/0'),
    status: async (serial) =>
      JSON.parse(await management(`/cert-status-by-serial/${serial}`)) as { Status: string; Reason?: number },
    mislead: (host) => dns('add-a', { host: `${host}.`, addresses: ['127.9.9.9'] }),
    correct: (host) => dns('clear-a', { host: `${host}.` }),
    stop: async () => {
      await Promise.all(children.map((child) => child.stop()));
      await edge.stop();
      await rm(root, { recursive: true });
    },
  };
}

async function startChallengeEdge(
  challenges: () => Promise<readonly EdgeChallenge[]>,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    void challenges().then((published) => {
      const found = published.find(({ token }) => incoming.url === `/.well-known/acme-challenge/${token}`);
      outgoing.writeHead(found ? 200 : 404).end(found?.key_authorization ?? 'not here');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function start(program: string, args: readonly string[]): { stop(): Promise<void> } {
  const child: ChildProcess = spawn(program, args, {
    stdio: 'ignore',
    // In percent: enough to be met, and too few for a request to use up its six attempts.
    env: { PATH: process.env['PATH'], PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '5', PEBBLE_AUTHZREUSE: '0' },
  });
  const ended = new Promise<void>((resolve, reject) => child.once('exit', () => resolve()).once('error', reject));
  return {
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.once('end', () => resolve(text)).once('error', reject);
    })
      .once('error', reject)
      .end();
  });
}
