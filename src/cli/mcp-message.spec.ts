/** What must be known of a message that is only passed on. */
import { describe, expect, it } from '@jest/globals';
import { headersOf, isRequest, parseMessage } from './mcp-message.js';

const modern = (method: string, params: Record<string, unknown> = {}) => ({
  jsonrpc: '2.0' as const,
  id: 1,
  method,
  params: { ...params, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
});

describe('headersOf', () => {
  it('says what a request of 2026 is about', () => {
    expect(headersOf(modern('tools/call', { name: 'deploy_app' }))).toEqual({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'deploy_app',
    });
    expect(headersOf(modern('resources/read', { uri: 'flukedeploy://deployments/dep-1' }))['mcp-name']).toBe(
      'flukedeploy://deployments/dep-1',
    );
    expect(headersOf(modern('tools/list', { name: 'x' }))).not.toHaveProperty('mcp-name');
  });

  it('wraps what no header can carry', () => {
    const name = headersOf(modern('prompts/get', { name: 'schön' }))['mcp-name'] ?? '';
    const [, wrapped = ''] = /^=\?base64\?(.+)\?=$/.exec(name) ?? [];
    expect(Buffer.from(wrapped, 'base64').toString()).toBe('schön');
  });

  it('says nothing of a request of 2025', () => {
    expect(headersOf({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).toEqual({});
  });
});

describe('a message', () => {
  it.each(['', 'text', '[]', '{}', '{"jsonrpc":"1.0"}', 'null'])('is not %p', (text) => {
    expect(parseMessage(text)).toBeUndefined();
  });

  it('is a request where it has a method and an id', () => {
    expect(isRequest({ jsonrpc: '2.0', id: 0, method: 'ping' })).toBe(true);
    expect(isRequest({ jsonrpc: '2.0', method: 'notifications/initialized' })).toBe(false);
    expect(isRequest({ jsonrpc: '2.0', id: 0, result: {} })).toBe(false);
  });
});
