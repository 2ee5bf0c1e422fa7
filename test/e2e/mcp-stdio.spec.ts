/** `flukedeploy mcp`: what a client that starts a program gets is what the server's `/mcp` answers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { clientOf, ERAS } from '../support/mcp-client.js';
import { until } from '../support/until.js';
import { lines, serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

interface Configuration {
  readonly mcpServers: Readonly<Record<string, { readonly command: string; readonly args: string[] }>>;
}

const repository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PROGRAM = repository('bin/flukedeploy.js');

let bench: Workbench;

beforeAll(async () => {
  bench = await Workbench.set();
});
afterAll(() => bench.clear());

const environment = (changes: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: bench.installation.directory,
  FLUKEDEPLOY_URL: bench.installation.server.url,
  FLUKEDEPLOY_TOKEN: bench.client.token,
  ...changes,
});

/** Everything it writes until its input ends. */
async function exchange(lines: readonly string[], changes?: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [PROGRAM, 'mcp'], { env: environment(changes), stdio: 'pipe' });
  const output: string[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data.toString()));
  child.stdin.write(lines.map((line) => `${line}\n`).join(''));
  const answers = () => output.join('').split('\n').filter(Boolean);
  const errors = text(child.stderr);
  await Promise.race([
    until(async () => answers().length >= lines.length, 'an answer to each line'),
    once(child, 'exit'),
  ]);
  child.stdin.end();
  if (child.exitCode === null) await once(child, 'exit');
  return { code: child.exitCode, answers: answers(), errors: await errors };
}

describe.each(ERAS)('a client of %s', (era) => {
  it('deploys, hears of the progress and watches a resource', async () => {
    const client = clientOf(era);
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [PROGRAM, 'mcp'],
        env: environment(),
        stderr: 'ignore',
      }),
    );
    expect(client.getNegotiatedProtocolVersion()).toBe(era);
    const heard: (string | undefined)[] = [];
    const updates: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
    const call = (name: string, args: Record<string, unknown>) =>
      client.callTool({ name, arguments: args }, { timeout: 70_000, onprogress: ({ message }) => heard.push(message) });

    const app_name = bench.app(`stdio-${era.slice(0, 4)}`);
    const { structuredContent } = await call('deploy_app', { app_name, ...serving('stdio') });
    const { deployment_id } = structuredContent as { deployment_id: string };
    const uri = `flukedeploy://deployments/${deployment_id}`;
    if (era === '2026-07-28') await client.listen({ resourceSubscriptions: [uri] });
    else await client.subscribeResource({ uri });

    const ended = await call('deploy_status', { deployment_id, wait_for: 'end' });
    expect(ended.structuredContent).toMatchObject({ status: 'success' });
    expect(heard.length).toBeGreaterThan(0);
    await until(async () => updates.includes(uri), 'the resource to change');
    await client.close();
  });

  it('lets its person approve', async () => {
    const order = { name: 'asking', persona: 'operator', agent: 'OPERATOR', approval: { by_elicitation: true } };
    const { body } = await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', order);
    const client = clientOf(era, () => ({ action: 'accept', content: { approve: true } }));
    const env = environment({ FLUKEDEPLOY_TOKEN: body.token });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [PROGRAM, 'mcp'], env, stderr: 'ignore' }),
    );
    const wish = { app_name: bench.app(`asked-${era.slice(0, 4)}`), image: 'busybox:1', port: 0, replicas: 0 };
    const { structuredContent } = await client.callTool({ name: 'deploy_app', arguments: wish });
    await client.close();
    expect(structuredContent).toMatchObject({ deployment_id: expect.any(String), app_name: wish.app_name });
  });
});

describe('a client that stays', () => {
  it('goes on after a restart of the server, and hears of what it watches', async () => {
    const app_name = bench.app('restarted');
    const slow = { dockerfile: lines('FROM busybox:1', `RUN sleep 100; echo ${app_name}`) };
    const running = await bench.client.deploy({ app_name, source: slow, port: 0 });
    // It waits for the other one, so that nothing happens to it but what the test does.
    const waiting = await bench.client.deploy({ app_name, ...serving('waiting') });
    const cancel = (id: string) => bench.client.request('POST', `/api/v1/deployments/${id}/cancel`, {});

    const client = clientOf('2025-11-25');
    const program = {
      command: process.execPath,
      args: [PROGRAM, 'mcp'],
      env: environment(),
      stderr: 'ignore' as const,
    };
    await client.connect(new StdioClientTransport(program));
    const updates: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
    const uri = `flukedeploy://deployments/${waiting.deployment_id}`;
    await client.subscribeResource({ uri });

    const { port } = new URL(bench.installation.server.url);
    await bench.installation.stop();
    await bench.installation.start({ PORT: port });
    const ask = { name: 'deploy_status', arguments: { deployment_id: waiting.deployment_id } };
    expect((await client.callTool(ask)).structuredContent).toMatchObject({ status: 'pending' });
    await until(async () => updates.length === 1, 'the stream to be open again');
    await cancel(waiting.deployment_id);
    await until(async () => updates.length > 1, 'the resource to change');
    expect((await client.callTool(ask)).structuredContent).toMatchObject({ status: 'cancelled' });

    await client.close();
    await cancel(running.deployment_id);
    await bench.client.ended(running.deployment_id);
  });
});

describe('the example of a configuration', () => {
  it('starts a server of six tools, where this package is', async () => {
    const { mcpServers } = JSON.parse(await readFile(repository('examples/.mcp.json'), 'utf8')) as Configuration;
    expect(Object.keys(mcpServers)).toEqual(['flukedeploy']);
    const client = clientOf('2026-07-28');
    await client.connect(
      new StdioClientTransport({
        ...mcpServers['flukedeploy']!,
        env: environment(),
        cwd: repository(''),
        stderr: 'ignore',
      }),
    );
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(6);
    await client.close();
  });
});

describe('the program', () => {
  it('writes nothing but JSON-RPC, whatever it is sent', async () => {
    const { code, answers } = await exchange(['no JSON', '{"jsonrpc":"2.0","id":7,"method":"tools/list"}']);
    expect(code).toBe(0);
    expect(answers.map((line) => JSON.parse(line) as { id: unknown })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32_700 }) }),
        expect.objectContaining({ id: 7, result: expect.objectContaining({ tools: expect.any(Array) }) }),
      ]),
    );
  });

  it('answers a request that the server refuses, or cannot be asked', async () => {
    const request = '{"jsonrpc":"2.0","id":8,"method":"tools/list"}';
    const refused = await exchange([request], { FLUKEDEPLOY_TOKEN: 'fd_wrong' });
    expect(JSON.parse(refused.answers[0] ?? '')).toMatchObject({ id: 8, error: { data: { code: 'unauthenticated' } } });
    const away = await exchange([request], { FLUKEDEPLOY_URL: 'http://127.0.0.1:1' });
    expect(JSON.parse(away.answers[0] ?? '')).toMatchObject({
      id: 8,
      error: { message: expect.stringContaining('127.0.0.1:1') },
    });
  });

  it('says on the other channel when nobody has logged in', async () => {
    const { code, answers, errors } = await exchange([], { FLUKEDEPLOY_TOKEN: '', FLUKEDEPLOY_URL: '' });
    expect({ code, answers }).toEqual({ code: 2, answers: [] });
    expect(errors).toContain('flukedeploy login');
  });
});
