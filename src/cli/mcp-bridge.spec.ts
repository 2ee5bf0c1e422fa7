/** A client of 2025 goes on through whatever becomes of its session: it has begun once and is never asked to begin again. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { McpSessionServer } from '../../test/support/mcp-session-server.js';
import { until } from '../../test/support/until.js';
import { McpBridge } from './mcp-bridge.js';
import type { Message } from './mcp-message.js';

const URI = 'flukedeploy://deployments/dep-1';
const UPDATE = { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: URI } };

let server: McpSessionServer;
let bridge: McpBridge;
let heard: Message[];
let ids: number;

beforeEach(async () => {
  server = new McpSessionServer();
  await server.start();
  heard = [];
  ids = 0;
  bridge = new McpBridge({ url: server.url, token: 'fd_test' }, (message) => heard.push(message as Message));
});
afterEach(async () => {
  await bridge.close();
  await server.stop();
});

const say = (message: object): void => bridge.send(JSON.stringify({ jsonrpc: '2.0', ...message }));

/** The one answer to it. */
async function ask(method: string, params: object = {}): Promise<Message> {
  const id = ++ids;
  say({ id, method, params });
  return until(async () => heard.find((message) => message.id === id && !message.method), `an answer to ${method}`);
}

const call = (name: string) => ask('tools/call', { name });
const updates = () => heard.filter(({ method }) => method === UPDATE.method);
const questions = () => heard.filter(({ method }) => method === 'elicitation/create');
const streams = (count: number) => until(async () => server.count('GET') >= count, `stream ${count}`, 20_000);

async function begin(): Promise<void> {
  await ask('initialize', { protocolVersion: '2025-11-25' });
  say({ method: 'notifications/initialized' });
  await streams(1);
}

describe('a session that the server has forgotten', () => {
  it('is begun again once, for all who find it gone, and its client does not notice', async () => {
    await begin();
    server.forget({ endsStreams: false });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(call));
    expect(answers.map(({ result }) => result?.['done'])).toEqual(['a', 'b', 'c', 'd']);
    expect(server.count('initialize')).toBe(2);
    expect(server.count('notifications/initialized')).toBe(2);
    expect(heard).toHaveLength(1 + answers.length);
  });

  it('is watched on, and nothing that has changed meanwhile is missed', async () => {
    await begin();
    await ask('resources/subscribe', { uri: URI });
    await ask('resources/subscribe', { uri: 'another' });
    await ask('resources/unsubscribe', { uri: 'another' });
    server.forget({ endsStreams: false });
    server.change(URI);
    await call('a');
    await until(async () => updates().length === 1, 'the update that was missed');
    server.change(URI);
    server.change('another');
    await until(async () => updates().length > 1, 'another update');
    expect(updates()).toEqual([UPDATE, UPDATE]);
  });

  it('is begun again for its stream alone', async () => {
    await begin();
    await ask('resources/subscribe', { uri: URI });
    server.forget();
    await streams(2);
    expect(server.count('initialize')).toBe(2);
    await until(async () => (server.change(URI), updates().length > 1), 'an update');
  });

  it('makes a message go twice and no more', async () => {
    await begin();
    server.isForgetful = true;
    expect(await call('a')).toMatchObject({ error: { message: 'Session not found' } });
    expect([server.count('tools/call'), server.count('404')]).toEqual([0, 2]);
  });

  it('stays away where the server begins none, until it does', async () => {
    await begin();
    server.forget({ endsStreams: false });
    server.isFull = true;
    expect(await call('a')).toMatchObject({ error: { message: 'Session not found' } });
    server.isFull = false;
    expect(await call('b')).toMatchObject({ result: { done: 'b' } });
  });

  it('takes its questions along: an answer to one is no answer to the next', async () => {
    await begin();
    const params = { name: 'ask' };
    say({ id: 'forgotten', method: 'tools/call', params });
    await until(async () => questions().length === 1, 'the first question');
    server.forget({ endsStreams: false });
    const second = ask('tools/call', params);
    await until(async () => questions().length === 2, 'the second question');

    const [first, next] = questions();
    say({ id: first?.id, result: { action: 'no' } });
    await call('in between');
    expect(server.count('answer')).toBe(0);
    say({ id: next?.id, result: { action: 'yes' } });
    expect(await second).toMatchObject({ result: { action: 'yes' } });
  });
});

describe('a session that goes on', () => {
  it('gets its stream again when that ends', async () => {
    await begin();
    await ask('resources/subscribe', { uri: URI });
    server.endStreams();
    await streams(2);
    expect(server.count('initialize')).toBe(1);
    await until(async () => updates().length === 1, 'what may have been missed');
    server.change(URI);
    await until(async () => updates().length === 2, 'an update');
  });
});

describe('a server that is away', () => {
  it('is said to be away, and serves again when it is back', async () => {
    await begin();
    await ask('resources/subscribe', { uri: URI });
    await server.stop();
    expect(await call('a')).toMatchObject({ error: { message: expect.stringContaining('does not answer') } });
    await server.start();
    expect(await call('b')).toMatchObject({ result: { done: 'b' } });
    await until(async () => (server.change(URI), updates().length > 1), 'an update');
  });
});

describe('a message without a session', () => {
  it('goes once, whatever the answer is', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    expect(await ask('tools/list', { _meta })).toMatchObject({ error: { message: 'Session not found' } });
    expect(server.read).toEqual(['404']);
  });
});
