/** The encrypted side of the edge, against real nginx in Swarm. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import type { EdgeCertificate } from '../../src/domain/edge-ports.js';
import type { Backend } from '../../src/domain/traffic.js';
import { type EdgeFixtures, startEdgeFixtures } from '../support/edge-fixtures.js';
import { selfSigned } from '../support/self-signed.js';

jest.setTimeout(120_000);

let edge: EdgeFixtures;
let blue: Backend;
let exact: EdgeCertificate;
let wildcard: EdgeCertificate;

beforeAll(async () => {
  edge = await startEdgeFixtures();
  await edge.edge.ensure();
  blue = await edge.app('blue');
  exact = await selfSigned('exact', ['web.test']);
  wildcard = await selfSigned('wildcard', ['*.test']);
});
afterAll(() => edge.clean());

const apply = (certificates: readonly EdgeCertificate[], force_https = true) =>
  edge.edge.apply({
    traffic: [edge.traffic('web', [blue], { hosts: ['web.test', 'www.test', 'web.example'], force_https })],
    certificates,
    challenges: [{ token: 'token', key_authorization: 'token.thumbprint' }],
  });

/** The name in the certificate that is shown for the host. */
async function shown(host: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: edge.httpsPort, servername: host, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

async function overHttp2(host: string): Promise<{ status: number; body: string }> {
  const session = connectHttp2(`https://127.0.0.1:${edge.httpsPort}`, { servername: host, rejectUnauthorized: false });
  try {
    const asking = session.request({ ':authority': `${host}:${edge.httpsPort}`, ':path': '/x' });
    const [headers] = (await once(asking, 'response')) as [{ ':status': number }];
    let body = '';
    for await (const chunk of asking as AsyncIterable<Buffer>) body += chunk.toString();
    return { status: headers[':status'], body };
  } finally {
    session.destroy();
  }
}

describe('certificates', () => {
  it('are served by HTTP/2, the exact one before the wildcard, and none for other names', async () => {
    await apply([wildcard, exact]);
    expect(await shown('web.test')).toBe('exact');
    expect(await shown('www.test')).toBe('wildcard');
    await expect(shown('web.example')).rejects.toThrow(/unrecognized name|alert/i);
    await expect(shown('unknown.test')).rejects.toThrow(/unrecognized name|alert/i);
    const { status, body } = await overHttp2('web.test');
    expect(status).toBe(200);
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ host: `web.test:${edge.httpsPort}`, 'x-forwarded-proto': 'https' });
  });

  it('make plain HTTP a redirect, for their names only and never for a challenge', async () => {
    await apply([exact]);
    expect(await edge.ask('web.test', '/a?b=c', { method: 'POST', body: 'x' })).toMatchObject({
      status: 308,
      headers: { location: `https://web.test:${edge.httpsPort}/a?b=c` },
    });
    expect((await edge.ask('www.test')).status).toBe(200);
    expect((await edge.ask('web.example')).status).toBe(200);
    expect((await edge.ask('web.test', '/.well-known/acme-challenge/token')).body).toBe('token.thumbprint');
    await apply([exact], false);
    expect((await edge.ask('web.test')).status).toBe(200);
    expect(await shown('web.test')).toBe('exact');
  });

  it('are readable by nginx only, and gone when no configuration names them', async () => {
    const listed = async () => {
      const container = edge.docker.getContainer(await edge.edgeContainerId());
      const exec = await container.exec({
        Cmd: ['find', '/etc/nginx/flukedeploy/certificates', '-name', '*.pem', '-exec', 'stat', '-c', '%a', '{}', ';'],
        AttachStdout: true,
      });
      let text = '';
      for await (const chunk of (await exec.start({})) as AsyncIterable<Buffer>) text += chunk.toString();
      return text.match(/\d{3}/g) ?? [];
    };
    await apply([exact, wildcard]);
    await apply([exact]);
    expect(await listed()).toEqual(['600', '600']);
    await apply([]);
    expect(await listed()).toEqual(['600']);
    expect(await edge.edge.revert()).toBe(true);
    expect(await shown('web.test')).toBe('exact');
    await apply([]);
    await apply([], false);
    await edge.another().apply({ traffic: [], certificates: [], challenges: [] });
    expect(await listed()).toEqual([]);
  });
});
