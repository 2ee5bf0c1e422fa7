/** The admin password: typed without echo, or read from where a script put it. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Interrupted, UsageError } from './failures.js';
import type { Host } from './terminal.js';
import { oneLine, readSecret } from './text-file.js';

export interface PasswordOptions {
  readonly passwordFile?: string;
  readonly passwordStdin?: boolean;
}

/** @throws UsageError, Interrupted */
export async function readPassword(host: Host, { passwordFile, passwordStdin }: PasswordOptions): Promise<string> {
  if (passwordFile !== undefined) return readSecret(passwordFile);
  if (passwordStdin) return oneLine(await text(host.stdin), 'standard input');
  if (host.stdin.isTTY) return typed(host);
  throw new UsageError('There is no terminal to ask for the password on: use --password-stdin or --password-file.');
}

async function typed({ stdin, stderr }: Host): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal of its own, readline turns off the echo of the real one.
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true });
  const given = new AbortController();
  reader.once('SIGINT', () => given.abort());
  reader.once('close', () => given.abort());
  stderr.write('Admin password: ');
  try {
    return await reader.question('', { signal: given.signal });
  } catch {
    throw new Interrupted();
  } finally {
    reader.close();
    stderr.write('\n');
  }
}
