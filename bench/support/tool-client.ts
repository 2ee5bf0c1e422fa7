/** The tools of a server as an agent has them: the official client over Streamable HTTP. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Told } from '../../test/support/mcp-client.js';
import type { ListedTool, ToolServer } from '../../test/support/scripted-agent.ts';

/** Longer than the longest wait of a tool. */
const timeout = 70_000;

export async function connectTools(scope: AsyncDisposableStack, url: string, token: string): Promise<ToolServer> {
  const client = new Client(
    { name: 'bench', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  scope.defer(() => client.close());
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  return {
    list: async (): Promise<readonly ListedTool[]> => (await client.listTools()).tools,
    call: async (name, args) => {
      const { content, structuredContent } = await client.callTool({ name, arguments: args }, { timeout });
      const [block] = content;
      if (block?.type !== 'text') throw new Error(`${name} answered ${JSON.stringify(content)}`);
      return { told: structuredContent as Told, text: block.text };
    },
  };
}
