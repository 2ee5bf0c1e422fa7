/** The command line of the MCP Inspector: each run is one method of the server that a file like `.mcp.json` names. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = `${REPOSITORY}/test/tools/mcp-inspector/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js`;
const SERVER = 'flukedeploy';
const TIME_LIMIT_MS = 90_000;

/** `script/bootstrap --with-test-tools` installs it. */
export const hasInspector = existsSync(PROGRAM);

export interface Inspected {
  readonly code: number;
  readonly result: Record<string, unknown>;
  readonly stderr: string;
}

export class Inspector {
  /**
   * @param home where it, and what it starts, look for settings
   * @param config where the server `flukedeploy` is described
   */
  constructor(
    private readonly home: string,
    private readonly config: string,
  ) {}

  async run(method: string, ...options: readonly string[]): Promise<Inspected> {
    const args = ['--cli', '--quiet', '--format', 'json', '--config', this.config, '--server', SERVER];
    const env = { PATH: process.env['PATH'], HOME: this.home, MCP_INSPECTOR_SECRET_STORE: 'memory' };
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [PROGRAM, ...args, '--method', method, ...options],
        { env, cwd: REPOSITORY, timeout: TIME_LIMIT_MS, maxBuffer: 10_000_000 },
        (error, stdout, stderr) => {
          const { result = {} } = JSON.parse(stdout || '{}') as { result?: Record<string, unknown> };
          resolve({ code: error ? Number(error.code ?? 1) : 0, result, stderr });
        },
      );
    });
  }

  async call(tool: string, given: object, ...options: readonly string[]): Promise<Inspected> {
    return this.run('tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(given), ...options);
  }
}
