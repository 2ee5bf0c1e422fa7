/** JSON-RPC messages of MCP, as far as somebody who only passes them on must know them. */

export type Fields = Readonly<Record<string, unknown>>;

export interface Message {
  readonly jsonrpc: '2.0';
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: Fields;
}

const VERSION = 'io.modelcontextprotocol/protocolVersion';
/** Which parameter names what the request is about. */
const NAMES: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

export function parseMessage(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isMessage = typeof value === 'object' && value !== null && 'jsonrpc' in value && value.jsonrpc === '2.0';
    return isMessage ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

export function isRequest({ id, method }: Message): boolean {
  return id !== undefined && id !== null && method !== undefined;
}

/** From 2026 on a request says in its headers what it is, so that proxies need not read it. */
export function headersOf({ method, params = {} }: Message): Record<string, string> {
  const { _meta } = params as { readonly _meta?: Fields };
  const version = _meta?.[VERSION];
  if (method === undefined || typeof version !== 'string') return {};
  const name = params[NAMES[method] ?? ''];
  return {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': headerValue(name) }),
  };
}

/** Headers carry ASCII only; the specification wraps the rest in Base64. */
function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
