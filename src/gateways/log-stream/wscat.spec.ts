import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startLogStream, type RunningLogStream } from '../../../test/support/log-stream-server.js';

describe('wscat, as the architecture shows it', () => {
  let stream: RunningLogStream;
  let wscat: ChildProcess;
  beforeEach(async () => {
    stream = await startLogStream();
  });
  afterEach(async () => {
    wscat.kill();
    await once(wscat, 'close');
    await stream.app.close();
  });

  /** The lines that wscat prints: the first time it is asked, the next time … */
  function start(...args: string[]): () => Promise<unknown> {
    wscat = spawn('node_modules/.bin/wscat', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (wscat.stdout === null) throw new Error('wscat has no output');
    const lines = createInterface(wscat.stdout)[Symbol.asyncIterator]();
    return async () => JSON.parse(String((await lines.next()).value)) as unknown;
  }

  it('wscat -c "ws://localhost:8767?app_name=myapp"', async () => {
    const next = start('-c', `${stream.url}?app_name=myapp`);
    expect(await next()).toEqual({ type: 'subscribed', filter: { app_name: 'myapp' } });
    await stream.deployment('dep-122', 'other');
    await stream.deployment('dep-123', 'myapp');
    expect(await next()).toMatchObject({ '@type': 'UnifiedLogEntry', id: 'dep-123-log-001' });
  });

  it('wscat -c ws://localhost:8767, then messages', async () => {
    const messages = [
      '{"action": "subscribe", "filter": {"deployment_id": "dep-123"}}',
      '{"action": "get_stats"}',
      '{"action": "ping"}',
    ];
    const next = start('-c', stream.url, ...messages.flatMap((message) => ['-x', message]), '-w', '-1');
    expect(await next()).toEqual({ type: 'subscribed', filter: { deployment_id: 'dep-123' } });
    expect(await next()).toMatchObject({ type: 'stats', connected_clients: 1 });
    expect(await next()).toEqual({ type: 'pong' });
    await stream.deployment('dep-123');
    expect(await next()).toMatchObject({ id: 'dep-123-log-001' });
  });
});
