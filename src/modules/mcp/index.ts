/** What other parts may use of the MCP server. */
export { McpModule } from './mcp.module.js';
export { McpOptions } from './mcp-options.js';
