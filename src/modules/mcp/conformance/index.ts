/** The tools, resources and prompts that the conformance suite of MCP calls. Its scenarios say what each of them does. */
import type { McpServer } from '@modelcontextprotocol/server';
import { registerClientRequests } from './client-request-fixtures.js';
import { registerContents } from './content-fixtures.js';
import { registerForms } from './form-fixtures.js';
import { registerPrompts } from './prompt-fixtures.js';
import { registerResources } from './resource-fixtures.js';

export { triggers } from './triggers.js';

export function registerFixtures(server: McpServer): void {
  registerContents(server);
  registerClientRequests(server);
  registerForms(server);
  registerResources(server);
  registerPrompts(server);
}
