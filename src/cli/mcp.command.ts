/** `flukedeploy mcp`: the server's MCP over standard input and output, for clients that start a program. */
import { createInterface } from 'node:readline';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { McpBridge } from './mcp-bridge.js';

/** Ends when its client closes standard input. Nothing but JSON-RPC is written to standard output. */
export async function mcp({ host, terminal }: CommandContext): Promise<number> {
  const { url, token } = await host.settings.login();
  const write = (message: unknown): void => {
    host.stdout.write(`${JSON.stringify(message)}\n`);
  };
  const bridge = new McpBridge({ url, token }, write);
  const lines = createInterface({ input: host.stdin, crlfDelay: Infinity, signal: host.interrupted });
  try {
    for await (const line of lines) if (line.trim() !== '') bridge.send(line);
  } catch (error) {
    if (!host.interrupted.aborted) throw error;
  } finally {
    await bridge.close();
  }
  terminal.note('The MCP client has gone.');
  return EXIT.success;
}
