/** The command line of the MCP Inspector drives every tool. It holds each answer, refusals too, against the tool's own schema. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../support/command-line.js';
import { hasInspector, Inspector } from '../support/mcp-inspector.js';
import { ADMIN_PASSWORD } from '../support/server-process.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/.mcp.json', import.meta.url));
/** Of its exit codes: the tool has answered with an error. */
const REFUSED = 5;
const TOOLS = ['deploy_app', 'deploy_status', 'deploy_logs', 'deploy_rollback', 'deploy_validate', 'deploy_history'];

(hasInspector ? describe : describe.skip)('the MCP Inspector', () => {
  let bench: Workbench;
  let inspector: Inspector;
  let app_name: string;
  let deployment_id: string;

  beforeAll(async () => {
    bench = await Workbench.set();
    const { directory, server } = bench.installation;
    const servers = {
      flukedeploy: {
        type: 'streamable-http',
        url: `${server.url}/mcp`,
        headers: { Authorization: `Bearer ${bench.client.token}` },
      },
    };
    const file = join(directory, 'servers.json');
    await writeFile(file, JSON.stringify({ mcpServers: servers }));
    inspector = new Inspector(directory, file);

    app_name = bench.app('inspected');
    await bench.client.succeed({ app_name, ...serving('one') });
    ({ deployment_id } = await bench.client.succeed({ app_name, ...serving('two') }));
  });
  afterAll(() => bench.clear());

  it.each(['legacy', 'modern'])('finds six tools and nothing to blame in their schemas, in the %s era', async (era) => {
    const { code, result, stderr } = await inspector.run('tools/list', '--strict', '--protocol-era', era);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((result['tools'] as { name: string }[]).map(({ name }) => name)).toEqual(TOOLS);
  });

  it.each<[string, () => Record<string, unknown>, Record<string, unknown>]>([
    ['deploy_validate', () => ({ app_name, ...serving('three') }), { valid: true }],
    ['deploy_app', () => ({ app_name, ...serving('three'), wait_for: 'end' }), { status: 'success', release: 3 }],
    ['deploy_status', () => ({ deployment_id }), { status: 'success', release: 2 }],
    ['deploy_logs', () => ({ deployment_id, limit: 5 }), { entries: 5 }],
    ['deploy_history', () => ({ app_name, limit: 1 }), { deployments: [{ status: 'success' }] }],
    ['deploy_rollback', () => ({ app_name, wait_for: 'end' }), { kind: 'rollback', status: 'success' }],
  ])('calls %s', async (tool, given, expected) => {
    const { code, result, stderr } = await inspector.call(tool, given(), '--protocol-era', 'modern');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(result['structuredContent']).toMatchObject(expected);
  });

  it('understands a refusal', async () => {
    const { code, result } = await inspector.call('deploy_status', { deployment_id: 'dep-unknown' });
    expect(code).toBe(REFUSED);
    expect(result['structuredContent']).toMatchObject({ error: { code: 'deployment_not_found' } });
  });

  it('starts what the example names, as somebody who has logged in', async () => {
    const { directory, server } = bench.installation;
    const password = join(directory, 'password');
    await writeFile(password, ADMIN_PASSWORD);
    const login = await run(['login', server.url, '--password-file', password], {
      environment: { XDG_CONFIG_HOME: join(directory, '.config') },
    });
    expect(login).toMatchObject({ code: 0 });

    const { code, result, stderr } = await new Inspector(directory, EXAMPLE).call('deploy_history', { app_name });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(result['structuredContent']).toMatchObject({ total: expect.any(Number) });
  });
});
