import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startLogStream, type RunningLogStream } from '../../../test/support/log-stream-server.js';
import { StreamProbe, told } from '../../../test/support/stream-probe.js';

describe('the log stream', () => {
  let stream: RunningLogStream;
  beforeEach(async () => {
    stream = await startLogStream();
  });
  afterEach(() => stream.app.close());

  describe('subscribing', () => {
    it('by URL begins at once and answers like a message', async () => {
      const client = await StreamProbe.connect(`${stream.url}?app_name=api-server&level=warn`);
      expect(await client.take()).toEqual({ type: 'subscribed', filter: { app_name: 'api-server', level: 'warn' } });
      const deployment = await stream.deployment('dep-1');
      await deployment.lines(['quiet']);
      await deployment.lines(['loud'], 'error');
      expect(await client.take()).toMatchObject({ '@type': 'UnifiedLogEntry', message: 'loud', level: 'error' });
    });

    it('by a URL without parameters waits for a message', async () => {
      const client = await StreamProbe.connect(stream.url);
      const deployment = await stream.deployment('dep-1');
      expect(await client.ask({ action: 'subscribe', filter: { deployment_id: 'dep-1' }, id: 7 })).toEqual({
        type: 'subscribed',
        filter: { deployment_id: 'dep-1' },
        id: 7,
      });
      await deployment.lines(['hello']);
      while (told(await client.take()) !== 'hello');
      expect(client.frames.every((frame) => told(frame) === 'subscribed' || '@type' in frame)).toBe(true);
    });

    it('sends entries bare, as REST would', async () => {
      const client = await StreamProbe.subscribed(stream.url);
      await stream.deployment('dep-1');
      expect(await client.take()).toMatchObject({
        '@context': 'https://flukebase.me/schemas/unified-log',
        id: 'dep-1-log-001',
        source: { system: 'flukedeploy' },
        flukedeploy_metadata: { sequence: 1, event_type: 'deploy_start', cursor: 'm1.1' },
      });
    });

    it('replaces the filter before', async () => {
      const client = await StreamProbe.subscribed(stream.url, { filter: { app_name: 'one' } });
      await client.ask({ action: 'subscribe', filter: { app_name: 'two' } });
      await stream.deployment('dep-1', 'one');
      await stream.deployment('dep-2', 'two');
      expect(await client.take()).toMatchObject({ flukedeploy_metadata: { app_name: 'two' } });
    });

    it('ends with unsubscribe', async () => {
      const client = await StreamProbe.subscribed(stream.url);
      expect(await client.ask({ action: 'unsubscribe', id: 'x' })).toEqual({ type: 'unsubscribed', id: 'x' });
      await stream.deployment('dep-1');
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
    });

    it.each([
      ['event_type', { event_type: 'deploy_start' }, 1],
      ['level', { level: 'error' }, 1],
      ['app_name', { app_name: 'api-server' }, 3],
    ])('filters by %s', async (_field, filter, count) => {
      const client = await StreamProbe.subscribed(stream.url, { filter });
      const deployment = await stream.deployment('dep-1');
      await deployment.lines(['fine']);
      await deployment.lines(['broken'], 'error');
      await stream.deployment('dep-2', 'other');
      const other = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
      while (told(await other.take()) !== 'live');
      expect(client.frames.filter((frame) => '@type' in frame && frame['id'] !== 'dep-2-log-001')).toHaveLength(count);
    });
  });

  it('counts', async () => {
    const first = await StreamProbe.subscribed(stream.url);
    const second = await StreamProbe.connect(stream.url);
    await stream.deployment('dep-1');
    await first.take();
    expect(await second.ask({ action: 'get_stats', id: 1 })).toEqual({
      type: 'stats',
      id: 1,
      connected_clients: 2,
      total_connections: 2,
      messages_sent: 2,
      uptime_seconds: expect.any(Number),
      subscriptions: 1,
      catching_up: 0,
    });
  });

  it('answers in the order of the questions, whatever each needs', async () => {
    const client = await StreamProbe.connect(stream.url);
    client.send({ action: 'subscribe', since: 'beginning', id: 1 });
    client.send('{');
    client.send({ action: 'get_stats', id: 3 });
    client.send({ action: 'ping', id: 4 });
    const answers = await client.takeMany(5);
    expect(answers.filter((frame) => told(frame) !== 'live').map(told)).toEqual([
      'subscribed',
      'error',
      'stats',
      'pong',
    ]);
  });

  describe('what is wrong', () => {
    it.each([
      ['invalid_json', '{"action":', undefined],
      ['invalid_message', '[]', undefined],
      ['invalid_message', 'null', undefined],
      ['invalid_message', '"ping"', undefined],
      ['invalid_message', {}, undefined],
      ['invalid_message', { action: 1 }, undefined],
      ['invalid_message', { action: 'ping', id: {} }, 'id'],
      ['invalid_message', { action: 'subscribe', filters: {} }, 'filters'],
      ['unknown_action', { action: 'dance' }, undefined],
      ['unknown_action', { action: 'opened' }, undefined],
      ['unknown_action', { action: 'constructor' }, undefined],
      ['bad_filter', { action: 'subscribe', filter: null }, 'filter'],
      ['bad_filter', { action: 'subscribe', filter: 'api' }, 'filter'],
      ['bad_filter', { action: 'subscribe', filter: ['api'] }, 'filter'],
      ['bad_filter', { action: 'subscribe', filter: { app: 'api' } }, 'app'],
      ['bad_filter', '{"action":"subscribe","filter":{"__proto__":{"level":"info"}}}', '__proto__'],
      ['bad_filter', { action: 'subscribe', filter: { app_name: 1 } }, 'app_name'],
      ['bad_filter', { action: 'subscribe', filter: { deployment_id: '' } }, 'deployment_id'],
      ['bad_filter', { action: 'subscribe', filter: { level: 'fatal' } }, 'level'],
      ['bad_filter', { action: 'subscribe', filter: { event_type: 'BUILD_START' } }, 'event_type'],
      ['bad_filter', { action: 'subscribe', since: 5 }, 'since'],
      ['cursor_invalid', { action: 'subscribe', since: 'yesterday' }, undefined],
      ['cursor_invalid', { action: 'subscribe', since: 'm1.zz' }, undefined],
    ])('is told as %s for %j, and the connection stays', async (code, message, field) => {
      const client = await StreamProbe.connect(stream.url);
      expect(await client.ask(message)).toEqual({
        type: 'error',
        code,
        message: expect.any(String),
        ...(field !== undefined && { field }),
      });
      expect(await client.ask({ action: 'ping', id: 'still' })).toEqual({ type: 'pong', id: 'still' });
    });

    it.each(['?level=loud', '?application=x', '?level=info&level=warn', '?since=nonsense', '?app_name='])(
      'in the URL %s is told as a first frame, and nothing is streamed',
      async (query) => {
        const client = await StreamProbe.connect(stream.url + query);
        expect(await client.take()).toMatchObject({ type: 'error' });
        await stream.deployment('dep-1');
        expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
      },
    );

    it('does not end the subscription there is', async () => {
      const client = await StreamProbe.subscribed(stream.url);
      await client.ask({ action: 'subscribe', filter: { level: 'loud' } });
      await stream.deployment('dep-1');
      expect(await client.take()).toMatchObject({ id: 'dep-1-log-001' });
    });

    it('too often is told as rate_limited', async () => {
      const client = await StreamProbe.connect(stream.url);
      for (let count = 0; count < 50; count++) client.send({ action: 'ping', id: count });
      const answers = await client.takeMany(50);
      expect(answers.map(({ id }) => id)).toEqual(answers.map((_, index) => index));
      expect(answers.filter(({ code }) => code === 'rate_limited').length).toBeGreaterThanOrEqual(10);
      expect(answers.slice(0, 10).map(told)).toEqual(Array(10).fill('pong'));
    });
  });

  describe('the end of a deployment', () => {
    it('is told after its last entry, even when the filter hides that entry', async () => {
      const client = await StreamProbe.subscribed(stream.url, { filter: { deployment_id: 'dep-1', level: 'error' } });
      const deployment = await stream.deployment('dep-1');
      await deployment.lines(['broken'], 'error');
      await deployment.succeed();
      expect((await client.takeMany(2)).map(told)).toEqual(['broken', 'end']);
      expect(client.frames.at(-1)).toEqual({ type: 'end', deployment_id: 'dep-1', status: 'success' });
    });

    it('is told for every deployment of the app', async () => {
      const client = await StreamProbe.subscribed(stream.url, { filter: { app_name: 'one', level: 'error' } });
      await (await stream.deployment('dep-0', 'two')).fail();
      await (await stream.deployment('dep-1', 'one')).succeed();
      await (await stream.deployment('dep-2', 'one')).succeed();
      expect(await client.takeMany(2)).toEqual([
        { type: 'end', deployment_id: 'dep-1', status: 'success' },
        { type: 'end', deployment_id: 'dep-2', status: 'success' },
      ]);
    });

    it('is told again when the deployment is rolled back', async () => {
      const client = await StreamProbe.subscribed(stream.url, {
        filter: { deployment_id: 'dep-1', event_type: 'build_start' },
      });
      const deployment = await stream.deployment('dep-1');
      await deployment.fail();
      await deployment.rollBack('dep-2');
      expect((await client.takeMany(2)).map(({ status }) => status)).toEqual(['failed', 'rolled_back']);
    });

    it.each(['beginning', 'now'])('is told once, after live, when it has ended already (since %s)', async (since) => {
      const deployment = await stream.deployment('dep-1');
      await deployment.fail();
      await deployment.rollBack('dep-2');
      const filter = { deployment_id: 'dep-1' };
      const client = await StreamProbe.subscribed(stream.url, { filter, since });
      const replayed = since === 'beginning' ? 3 : 0;
      const frames = await client.takeMany(replayed + 2);
      expect(frames.slice(replayed)).toEqual([
        { type: 'live', cursor: 'm1.3' },
        { type: 'end', deployment_id: 'dep-1', status: 'rolled_back' },
      ]);
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
    });

    it('is told to those who replay an app, in its place', async () => {
      await (await stream.deployment('dep-1', 'one')).succeed();
      await (await stream.deployment('dep-2', 'one')).lines(['still running']);
      const client = await StreamProbe.subscribed(stream.url, { filter: { app_name: 'one' }, since: 'beginning' });
      const frames = await client.takeMany(6);
      expect(frames.map((frame) => frame['id'] ?? told(frame))).toEqual([
        'dep-1-log-001',
        'dep-1-log-002',
        'end',
        'dep-2-log-001',
        'dep-2-log-002',
        'live',
      ]);
    });

    it('is not told of a deployment that the filter leaves out', async () => {
      await (await stream.deployment('dep-1', 'one')).succeed();
      const filter = { app_name: 'two', deployment_id: 'dep-1' };
      const client = await StreamProbe.subscribed(stream.url, { filter, since: 'beginning' });
      expect(told(await client.take())).toBe('live');
      expect(await client.ask({ action: 'ping' })).toEqual({ type: 'pong' });
    });
  });

  describe('a cursor too old', () => {
    it('is answered with the gap, and what is left', async () => {
      const deployment = await stream.deployment('dep-1');
      await deployment.lines(['two', 'three', 'four']);
      stream.store.prune(2);
      const client = await StreamProbe.subscribed(stream.url, { since: 'm1.1' });
      expect((await client.takeMany(4)).map(told)).toEqual(['gap', 'three', 'four', 'live']);
      expect(client.frames[1]).toEqual({ type: 'gap', reason: 'retention', from: 'm1.1', to: 'm1.2' });
    });

    it('of another history is told as such', async () => {
      await stream.deployment('dep-1');
      const client = await StreamProbe.subscribed(stream.url, { since: 'old.5' });
      expect(await client.take()).toEqual({ type: 'gap', reason: 'epoch_changed', from: 'old.5', to: 'm1.0' });
      expect(await client.take()).toMatchObject({ id: 'dep-1-log-001' });
    });

    it('is told to those who were live when the history changed', async () => {
      const client = await StreamProbe.subscribed(stream.url);
      await stream.deployment('dep-1');
      await client.take();
      stream.store.beginAnew('m2');
      await stream.deployment('dep-2');
      expect(await client.take()).toMatchObject({ type: 'gap', reason: 'epoch_changed' });
      expect(await client.take()).toMatchObject({ id: 'dep-2-log-001' });
    });
  });
});
