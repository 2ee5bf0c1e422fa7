/** An agent that knows nothing but what `tools/list` and the answers of tools tell it, and counts what it reads and writes. */
import type { Next, Told } from './mcp-client.js';

/** What a deployment may need until its end. */
const MOST_CALLS = 10;
/** What o200k_base makes of the answers, with their ids and braces. Of prose, as in the list of tools, it makes fewer: four. */
const BYTES_PER_TOKEN = 3;

export interface ToolServer {
  list(): Promise<readonly ListedTool[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<{ readonly told: Told; readonly text: string }>;
}
export interface ListedTool {
  readonly name: string;
  readonly inputSchema: { readonly properties?: object | undefined };
}

export class ScriptedAgent {
  readonly calls: string[] = [];
  readonly #server: ToolServer;
  readonly #tools: readonly ListedTool[];
  #read: string;
  #written = '';

  private constructor(server: ToolServer, tools: readonly ListedTool[]) {
    this.#server = server;
    this.#tools = tools;
    this.#read = JSON.stringify(tools);
  }

  static async begin(server: ToolServer): Promise<ScriptedAgent> {
    return new ScriptedAgent(server, await server.list());
  }

  /** Everything that has passed through its context so far, the list of tools included. */
  get tokens(): number {
    return tokensOf(this.#read + this.#written);
  }

  /** @throws Error when it could not know of the tool, of one of the arguments, or of the deployment */
  async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Told> {
    const listed = this.#tools.find(({ name }) => name === tool);
    if (listed === undefined) throw new Error(`tools/list does not name ${tool}`);
    const stranger = Object.keys(args).find((name) => !(name in (listed.inputSchema.properties ?? {})));
    if (stranger !== undefined) throw new Error(`tools/list does not name ${stranger} of ${tool}`);
    const id = args['deployment_id'] as string | undefined;
    if (id !== undefined && !this.#read.includes(`"${id}"`)) throw new Error(`no answer named ${id}`);

    this.calls.push(tool);
    this.#written += JSON.stringify({ tool, args });
    const { told, text } = await this.#server.call(tool, args);
    this.#read += text;
    return told;
  }

  /** Makes the call that an answer, or a refusal, says is next. */
  async follow(told: Told): Promise<Told> {
    const { tool, arguments: args } = (told.next as Next | undefined) ?? told.error.next;
    return this.call(tool, args);
  }

  /** Does what it is told until a deployment has ended. */
  async untilEnd(told: Told): Promise<Told> {
    let seen = told;
    for (let left = MOST_CALLS; seen['final'] !== true; left--) {
      if (left === 0) throw new Error(`no end after ${this.calls.join(', ')}`);
      seen = await this.follow(seen);
    }
    return seen;
  }
}

/** No tokenizer is exact for another's model; this one errs on the side of more. */
export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}
