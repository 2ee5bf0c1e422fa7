/** Runs the command line in this process, with streams and an environment of its own. */
import { afterEach, beforeEach } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { main } from '../../src/cli/main.js';
import { Settings, type Environment } from '../../src/cli/settings.js';
import type { Output } from '../../src/cli/terminal.js';
import { ScriptedServer } from './scripted-server.js';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Environment;
  readonly stdin?: string;
  /** A terminal of so many columns. */
  readonly columns?: number;
  readonly interrupted?: AbortSignal;
  /** Hears of everything on stdout as it comes. */
  readonly onOutput?: (text: string) => void;
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { environment = {}, stdin = '', columns, interrupted = new AbortController().signal, onOutput } = options;
  const out = captured(columns, onOutput);
  const err = captured(columns);
  const code = await main(argv, {
    settings: new Settings(environment),
    stdin: new PassThrough().end(stdin),
    stdout: out.stream,
    stderr: err.stream,
    interrupted,
  });
  return { code, stdout: out.text(), stderr: err.text() };
}

/** A scripted server for each test of a file, and commands that are logged in to it. Call it once beside the tests. */
export function withServer() {
  let server = new ScriptedServer();
  beforeEach(async () => {
    server = new ScriptedServer();
    await server.start();
  });
  afterEach(() => server.stop());
  const environment = () => ({ FLUKEDEPLOY_URL: server.url, FLUKEDEPLOY_TOKEN: 'fd_test' });
  return {
    get server() {
      return server;
    },
    /** `line` is split at spaces. */
    run: (line: string, options: RunOptions = {}): Promise<Outcome> =>
      run(line.split(' '), { ...options, environment: { ...environment(), ...options.environment } }),
  };
}

function captured(columns: number | undefined, onOutput?: (text: string) => void): { stream: Output; text(): string } {
  let text = '';
  const stream: Output = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    onOutput?.(chunk.toString());
  });
  return { stream, text: () => text };
}
