/** The official conformance suite of MCP: all server scenarios of both revisions, against the built server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Client } from '../support/client.js';
import { startProcess, TestInstallation } from '../support/server-process.js';
import { TokenProxy } from '../support/token-proxy.js';

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** The scenarios that each revision requires. None is expected to fail, so there is no list of those that may. */
const REVISIONS = [
  { revision: '2026-07-28', required: 37 },
  { revision: '2025-11-25', required: 30 },
] as const;

let installation: TestInstallation;
let proxy: TokenProxy;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-conformance-'));
  installation = await TestInstallation.create({ MCP_CONFORMANCE_FIXTURES: '1' });
  const { token } = await Client.logIn(() => installation.server.url);
  proxy = await TokenProxy.start(installation.server.url, token);
});
afterAll(async () => {
  await proxy.stop();
  await installation.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('the conformance suite', () => {
  it.each(REVISIONS)(
    'passes all $required scenarios that $revision requires',
    async ({ revision, required }) => {
      const output = await conformance('server', '--url', `${proxy.url}/mcp`, '--requirements', revision, '-o', folder);
      const results = resultsOf(output);
      const scenarios = await requiredScenarios(revision);
      expect(scenarios).toHaveLength(required);
      const failed = scenarios.filter((name) => results.get(name) !== 'passed');
      expect({ failed, output: failed.length > 0 ? output : '' }).toEqual({ failed: [], output: '' });
    },
    300_000,
  );

  it('has its fixtures nowhere in production', async () => {
    await expect(startProcess({ MCP_CONFORMANCE_FIXTURES: '1', NODE_ENV: 'production' })).rejects.toThrow(
      /MCP_CONFORMANCE_FIXTURES: not where NODE_ENV is production/,
    );
  });
});

async function requiredScenarios(revision: string): Promise<string[]> {
  const list = await conformance('list', '--server', '--requirements', revision);
  const [, names = ''] = /Server scenarios[^\n]*\n((?: {2}- [^\n]+\n)+)/.exec(list) ?? [];
  return names
    .split('\n')
    .map((line) => line.replace('  - ', ''))
    .filter(Boolean);
}

/** From the summary, a line per scenario: `✓ name: 2 passed, 0 failed`. */
function resultsOf(output: string): Map<string, 'passed' | 'failed'> {
  const lines = [...output.matchAll(/^([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed/gmu)];
  return new Map(
    lines.map(([, sign, name = '', passed, failed]) => [
      name,
      sign === '✓' && Number(passed) > 0 && failed === '0' ? 'passed' : 'failed',
    ]),
  );
}

async function conformance(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return output + errors;
}
