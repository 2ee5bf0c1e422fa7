/** Fixtures for every kind of content, for errors, and for what is told on the way. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallToolResult,
  LOG_LEVEL_META_KEY,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { envelopeOf } from '../caller.js';
import { IMAGE, SOUND, text } from './samples.js';
import { triggers } from './triggers.js';

const STEP_MS = 50;

const CONTENTS: Readonly<Record<string, CallToolResult['content']>> = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [{ type: 'image', ...IMAGE }],
  test_audio_content: [{ type: 'audio', ...SOUND }],
  test_embedded_resource: [
    {
      type: 'resource',
      resource: {
        uri: 'test://embedded-resource',
        mimeType: 'text/plain',
        text: 'This is an embedded resource content.',
      },
    },
  ],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    { type: 'image', ...IMAGE },
    {
      type: 'resource',
      resource: {
        uri: 'test://mixed-content-resource',
        mimeType: 'application/json',
        text: JSON.stringify({ test: 'data', value: 123 }),
      },
    },
  ],
};

export function registerContents(server: McpServer): void {
  for (const [name, content] of Object.entries(CONTENTS)) {
    fixture(server, name, () => content);
  }
  fixture(server, 'test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  fixture(server, 'test_tool_with_logging', async (context) => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await log(context, message);
      await delay(STEP_MS);
    }
    return [text('The tool has logged.')];
  });
  fixture(server, 'test_logging_tool', async (context) => {
    if (envelopeOf(context.mcpReq)[LOG_LEVEL_META_KEY] !== undefined) await log(context, 'Asked for');
    return [text('The tool logs where it is asked to.')];
  });
  fixture(server, 'test_tool_with_progress', async ({ mcpReq: { _meta, notify } }) => {
    for (const progress of [0, 50, 100]) {
      const params = { progressToken: _meta?.progressToken ?? 0, progress, total: 100 };
      if (_meta?.progressToken !== undefined) await notify({ method: 'notifications/progress', params });
      await delay(STEP_MS);
    }
    return [text('The tool has reported its progress.')];
  });
  fixture(server, 'test_trigger_tool_change', () => {
    triggers.toolsChanged();
    return [text('The tools have changed.')];
  });
  fixture(server, 'test_trigger_prompt_change', () => {
    triggers.promptsChanged();
    return [text('The prompts have changed.')];
  });
}

function log({ mcpReq: { notify } }: ServerContext, data: string): Promise<void> {
  return notify({ method: 'notifications/message', params: { level: 'info', data } });
}

type Contents = CallToolResult['content'];

function fixture(server: McpServer, name: string, run: (context: ServerContext) => Contents | Promise<Contents>): void {
  server.registerTool(name, { description: 'For the conformance suite.' }, async (context) => ({
    content: await run(context),
  }));
}
