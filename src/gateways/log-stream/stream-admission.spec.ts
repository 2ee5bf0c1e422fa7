import { afterEach, describe, expect, it } from '@jest/globals';
import { startLogStream, type LogStreamSetup, type RunningLogStream } from '../../../test/support/log-stream-server.js';
import { StreamProbe, told } from '../../../test/support/stream-probe.js';
import { eventually } from '../../../test/support/eventually.js';
import { StreamAuthenticator, type StreamPrincipal } from './stream-authenticator.js';

const SUBPROTOCOL = 'flukedeploy.logs.v1';
const asSubprotocol = (token: string): string =>
  `base64url.bearer.flukedeploy.${Buffer.from(token).toString('base64url')}`;

class Tokens extends StreamAuthenticator {
  readonly known = new Map<string, StreamPrincipal>([
    ['fd_all', { actor: { kind: 'token', name: 'all' } }],
    ['fd_api', { actor: { kind: 'token', name: 'api' }, token_id: 'aaaaaaaaaaaa', apps: ['api-*'] }],
  ]);
  broken = false;
  checks = 0;

  authenticate(token: string): Promise<StreamPrincipal | undefined> {
    this.checks++;
    return this.broken ? Promise.reject(new Error('the database is away')) : Promise.resolve(this.known.get(token));
  }
}

describe('who may connect', () => {
  let stream: RunningLogStream;
  afterEach(() => stream.app.close());
  /** Refusals in the audit trail. */
  const recorded = () =>
    stream.trail.records.map(({ actor, target, outcome, rule }) => `${actor.name} ${target} ${outcome}: ${rule}`);

  describe('on loopback', () => {
    it.each([
      ['nobody in particular', undefined, undefined],
      ['its own page', 'http://127.0.0.1:3000', undefined],
      ['its own page by name', 'http://localhost:3000', 'localhost:8767'],
      ['the dashboard behind a proxy', 'https://deploy.example', 'deploy.example'],
    ])('%s: yes', async (_who, origin, host) => {
      stream = await startLogStream({ options: { originHosts: ['deploy.example'], pagePorts: [3000] } });
      const headers = { ...(origin && { origin }), ...(host && { host }) };
      const client = await StreamProbe.connect(stream.url, [], { headers });
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
      client.cut();
    });

    it.each([
      ['a foreign page', 'https://evil.example', undefined],
      ['a foreign page whose name points here', 'http://evil.example:8767', 'evil.example:8767'],
      ['another app on this machine', 'http://127.0.0.1:8080', undefined],
      ['a page without an origin', 'null', undefined],
      ['a page of a name that looks like ours', 'http://127.0.0.1.evil.example', undefined],
    ])('%s: no', async (_who, origin, host) => {
      stream = await startLogStream();
      const headers = { origin, ...(host && { host }) };
      await expect(StreamProbe.connect(stream.url, [], { headers })).rejects.toThrow('403');
      expect(recorded()).toEqual(['anonymous logs forbidden: This Origin may not connect.']);
    });

    it('asks for no token, and takes an offered one calmly', async () => {
      stream = await startLogStream();
      const client = await StreamProbe.connect(stream.url, [SUBPROTOCOL, asSubprotocol('fd_any')]);
      expect(client.socket.protocol).toBe(SUBPROTOCOL);
      expect(await client.ask({ action: 'authenticate', token: 'fd_any' })).toEqual({ type: 'authenticated' });
    });
  });

  describe('on any other address', () => {
    let tokens: Tokens;
    const start = async (options: LogStreamSetup['options'] = {}): Promise<string> => {
      tokens = new Tokens();
      stream = await startLogStream({ authenticator: tokens, options: { host: '0.0.0.0', ...options } });
      return stream.url.replace('0.0.0.0', '127.0.0.1');
    };
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

    it('a token in the header opens the stream', async () => {
      const url = await start();
      const client = await StreamProbe.connect(`${url}?app_name=api-server`, [], bearer('fd_all'));
      expect(told(await client.take())).toBe('subscribed');
    });

    it('a token as a subprotocol opens the stream, and is not echoed', async () => {
      const url = await start();
      const client = await StreamProbe.connect(url, [SUBPROTOCOL, asSubprotocol('fd_all')]);
      expect(client.socket.protocol).toBe(SUBPROTOCOL);
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
    });

    it.each([
      ['a wrong token', [], { headers: { authorization: 'Bearer fd_wrong' } }],
      ['an empty token', [], { headers: { authorization: 'Bearer ' } }],
      ['credentials of another kind', [], { headers: { authorization: 'Basic YTpi' } }],
      ['a wrong token as a subprotocol', [SUBPROTOCOL, asSubprotocol('fd_wrong')], {}],
    ])('%s is refused with 401', async (_what, protocols, options) => {
      const url = await start();
      await expect(StreamProbe.connect(url, protocols, options)).rejects.toThrow('401');
      expect(recorded()).toEqual(['anonymous logs unauthenticated: The token is not valid.']);
      expect(stream.trail.records).toMatchObject([{ action: 'logs.stream', address: '127.0.0.1' }]);
    });

    it('a token that cannot be checked is refused with 503', async () => {
      const url = await start();
      tokens.broken = true;
      await expect(StreamProbe.connect(url, [], bearer('fd_all'))).rejects.toThrow('503');
      expect(recorded()).toEqual([]);
    });

    it('a token in the first message opens the stream, and the URL counts from then on', async () => {
      const url = await start();
      const client = await StreamProbe.connect(`${url}?app_name=api-server`);
      expect(await client.ask({ action: 'authenticate', token: 'fd_all', id: 1 })).toEqual({
        type: 'authenticated',
        id: 1,
      });
      expect(told(await client.take())).toBe('subscribed');
      await stream.deployment('dep-1');
      expect(await client.take()).toMatchObject({ id: 'dep-1-log-001' });
      expect(await client.ask({ action: 'authenticate', token: 'fd_api' })).toMatchObject({ code: 'invalid_message' });
    });

    it.each([
      ['another action', { action: 'subscribe' }, 'unauthenticated', 4401],
      ['a wrong token', { action: 'authenticate', token: 'fd_wrong' }, 'unauthenticated', 4401],
      ['a token that is no text', { action: 'authenticate', token: {} }, 'unauthenticated', 4401],
      ['nonsense', '{', 'unauthenticated', 4401],
    ])('%s as the first message is answered and closed', async (_what, message, code, closeCode) => {
      const url = await start();
      await stream.deployment('dep-1');
      const client = await StreamProbe.connect(`${url}?since=beginning`);
      client.send(message);
      expect((await client.closed).code).toBe(closeCode);
      expect(client.frames).toEqual([expect.objectContaining({ type: 'error', code })]);
      expect(recorded()).toEqual([expect.stringMatching(/^anonymous logs unauthenticated: /)]);
    });

    it('a first token that cannot be checked means: try again later', async () => {
      const url = await start();
      tokens.broken = true;
      const client = await StreamProbe.connect(url);
      client.send({ action: 'authenticate', token: 'fd_all' });
      expect((await client.closed).code).toBe(1013);
      expect(client.frames).toEqual([expect.objectContaining({ code: 'unavailable' })]);
    });

    it('no token in time is closed with 4401, and nothing was streamed', async () => {
      const url = await start({ authenticateWithinMs: 50 });
      const client = await StreamProbe.connect(`${url}?since=beginning`);
      await stream.deployment('dep-1');
      expect((await client.closed).code).toBe(4401);
      expect(client.frames).toEqual([]);
      expect(recorded()).toEqual(['anonymous logs unauthenticated: no token in time']);
    });

    it('a revoked token is closed with 4401; one that cannot be checked stays', async () => {
      const url = await start({ recheckTokenMs: 20 });
      const client = await StreamProbe.connect(url, [], bearer('fd_all'));
      tokens.broken = true;
      const before = tokens.checks;
      await eventually(() => tokens.checks > before + 2);
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
      tokens.broken = false;
      tokens.known.delete('fd_all');
      expect((await client.closed).code).toBe(4401);
      expect(recorded()).toEqual(['all logs unauthenticated: the token is no longer valid']);
    });

    it('a token limited to apps brings their entries only, live and from the past', async () => {
      const url = await start();
      await (await stream.deployment('dep-1', 'secret-app')).succeed();
      await stream.deployment('dep-2', 'api-server');
      const client = await StreamProbe.connect(`${url}?since=beginning`, [], bearer('fd_api'));
      const spy = await StreamProbe.connect(`${url}?since=beginning&deployment_id=dep-1`, [], bearer('fd_api'));
      expect((await client.takeMany(3)).map((frame) => frame['id'] ?? frame['type'])).toEqual([
        'subscribed',
        'dep-2-log-001',
        'live',
      ]);
      await (await stream.deployment('dep-3', 'secret-app')).succeed();
      await stream.deployment('dep-4', 'api-worker');
      expect((await client.take())['id']).toBe('dep-4-log-001');
      expect(spy.frames.map(told)).toEqual(['subscribed', 'live']);
    });

    it('a token that asks for an app of others is told nothing, and recorded', async () => {
      const url = await start();
      const client = await StreamProbe.connect(url, [], bearer('fd_api'));
      for (const app_name of ['secret-app', 'api-server']) {
        const answer = await client.ask({ action: 'subscribe', filter: { app_name } });
        expect(answer).toEqual({ type: 'subscribed', filter: { app_name } });
      }
      expect(recorded()).toEqual(['api secret-app forbidden: secret-app is none of the apps of this token: api-*.']);
      expect(stream.trail.records).toMatchObject([{ actor: { token_id: 'aaaaaaaaaaaa' }, address: '127.0.0.1' }]);
    });

    it('the same where it names a deployment of others, alone or as one of its own app', async () => {
      const url = await start();
      await stream.deployment('dep-1', 'secret-app');
      await stream.deployment('dep-2', 'api-server');
      const client = await StreamProbe.connect(`${url}?deployment_id=dep-1`, [], bearer('fd_api'));
      const foreign = 'api secret-app forbidden: secret-app is none of the apps of this token: api-*.';
      expect(told(await client.take())).toBe('subscribed');
      expect(recorded()).toEqual([foreign]);
      for (const filter of [{ deployment_id: 'dep-2' }, { deployment_id: 'dep-3' }]) {
        expect(told(await client.ask({ action: 'subscribe', filter }))).toBe('subscribed');
      }
      expect(recorded()).toEqual([foreign]);
      const filter = { app_name: 'api-server', deployment_id: 'dep-1' };
      expect(told(await client.ask({ action: 'subscribe', filter }))).toBe('subscribed');
      expect(recorded()).toEqual([foreign, foreign]);
    });

    it('what a proxy on this machine says of its client is believed', async () => {
      const url = await start();
      const headers = { ...bearer('fd_wrong').headers, 'x-forwarded-for': 'spoofed, 192.0.2.7' };
      await expect(StreamProbe.connect(url, [], { headers })).rejects.toThrow('401');
      expect(stream.trail.records).toMatchObject([{ address: '192.0.2.7' }]);
    });

    it('a foreign page is refused even with a token', async () => {
      const url = await start();
      const headers = { ...bearer('fd_all').headers, origin: 'https://evil.example' };
      await expect(StreamProbe.connect(url, [], { headers })).rejects.toThrow('403');
    });
  });

  it('is not left open: without a way to check tokens the start fails', async () => {
    stream = await startLogStream();
    await expect(startLogStream({ options: { host: '0.0.0.0' } })).rejects.toThrow('nothing checks them');
  });
});
