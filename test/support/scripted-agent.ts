/** An agent that knows nothing but what `tools/list` and the answers of tools tell it: it does what `next` says. */
import { expect } from '@jest/globals';
import type { McpClient, Told } from './mcp-client.js';

const MOST_CALLS = 20;

export class ScriptedAgent {
  readonly calls: string[] = [];
  #bytes = 0;

  private constructor(
    private readonly client: McpClient,
    private readonly tools: ReadonlySet<string>,
    listBytes: number,
  ) {
    this.#bytes = listBytes;
  }

  static async begin(client: McpClient): Promise<ScriptedAgent> {
    const { tools } = await client.client.listTools();
    return new ScriptedAgent(client, new Set(tools.map(({ name }) => name)), Buffer.byteLength(JSON.stringify(tools)));
  }

  /** Everything it has read, at four bytes a token. */
  get tokens(): number {
    return Math.ceil(this.#bytes / 4);
  }

  async call(tool: string, args: Record<string, unknown>): Promise<Told> {
    expect([...this.tools]).toContain(tool);
    this.calls.push(tool);
    const { told, text } = await this.client.call(tool, args);
    this.#bytes += Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify(args));
    return told;
  }

  /** Follows `next` until a deployment has ended. */
  async untilEnd(told: Told): Promise<Told> {
    for (let seen = told; this.calls.length < MOST_CALLS;) {
      if (seen['final'] === true) return seen;
      seen = await this.call(seen.next.tool, seen.next.arguments);
    }
    throw new Error(`no end after ${this.calls.join(', ')}`);
  }
}
