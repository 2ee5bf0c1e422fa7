/** MCP clients of both eras, and tools as a test calls them. */
import { expect } from '@jest/globals';
import {
  Client,
  StreamableHTTPClientTransport,
  type ElicitResult,
  type ListToolsResult,
  type Progress,
} from '@modelcontextprotocol/client';

export const ERAS = ['2026-07-28', '2025-11-25'] as const;
export type Era = (typeof ERAS)[number];

export interface Next {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly why: string;
}
export interface Refused extends Record<string, unknown> {
  readonly code: string;
  readonly message: string;
  readonly next: Next;
  readonly hint: string;
}
export interface Told extends Record<string, unknown> {
  readonly next: Next;
  readonly error: Refused;
}

export interface Answer {
  readonly told: Told;
  readonly text: string;
  readonly isError: boolean;
}

/** Reads what a form says, and answers it. */
export type Person = (message: string) => ElicitResult | Promise<ElicitResult>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: Progress) => void;
}

export class McpClient {
  private constructor(
    readonly client: Client,
    private readonly transport: { readonly sessionId?: string | undefined },
  ) {}

  /** @param person who answers forms, where there is anybody */
  static async connect(
    url: string,
    token: string,
    era: Era = '2026-07-28',
    { person, headers }: { person?: Person | undefined; headers?: Record<string, string> } = {},
  ): Promise<McpClient> {
    const client = clientOf(era, person);
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}`, ...headers } },
    });
    await client.connect(transport);
    expect(client.getNegotiatedProtocolVersion()).toBe(era);
    return new McpClient(client, transport);
  }

  get sessionId(): string | undefined {
    return this.transport.sessionId;
  }

  async list(): Promise<ListToolsResult['tools']> {
    return (await this.client.listTools()).tools;
  }

  /** What the tool answers. Text and structured content say the same, within the bound. */
  async call(name: string, args: Record<string, unknown>, { signal, onprogress }: CallOptions = {}): Promise<Answer> {
    const result = await this.client.callTool(
      { name, arguments: args },
      { timeout: 70_000, ...(signal && { signal }), ...(onprogress && { onprogress }) },
    );
    const [content, ...others] = result.content;
    if (content?.type !== 'text') throw new Error(`the answer is not a text: ${JSON.stringify(result)}`);
    expect(others).toEqual([]);
    expect(Buffer.byteLength(content.text)).toBeLessThanOrEqual(16_384);
    expect(JSON.parse(content.text)).toEqual(result.structuredContent);
    return { told: result.structuredContent as Told, text: content.text, isError: result.isError ?? false };
  }

  /** The same, for an answer that is none of an error. */
  async told(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<Told> {
    const { told, isError, text } = await this.call(name, args, options);
    expect({ isError, text: isError ? text : '' }).toEqual({ isError: false, text: '' });
    return told;
  }

  async refused(name: string, args: Record<string, unknown>): Promise<Told['error']> {
    const { told, isError } = await this.call(name, args);
    expect({ isError, told }).toMatchObject({ isError: true, told: { error: { code: expect.any(String) } } });
    return told.error;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

export function clientOf(era: Era, person?: Person): Client {
  const mode = era === '2026-07-28' ? { pin: era } : 'legacy';
  const client = new Client(
    { name: 'test-agent', version: '1.0.0' },
    { versionNegotiation: { mode }, ...(person && { capabilities: { elicitation: { form: {} } } }) },
  );
  if (person) client.setRequestHandler('elicitation/create', ({ params }) => person(params.message));
  return client;
}
