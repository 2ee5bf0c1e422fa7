/** What a tool of the MCP server is: its schemas, the scope it needs, and what it does. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../domain/errors.js';
import type { Scope } from '../auth/index.js';
import { plain } from './untrusted-text.js';
import type { ToolCall } from './tool-call.js';

export interface ToolDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly scope: Scope;
  readonly readOnly: boolean;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
}

export abstract class Tool {
  abstract readonly definition: ToolDefinition;
  /** @throws DeployError, which becomes an answer with the next call to make */
  abstract run(call: ToolCall): Promise<CallToolResult>;
}

/** @throws DeployError `invalid_field`, `unknown_field`, naming every field */
export function parsed<Schema extends z.ZodObject>(schema: Schema, values: unknown): z.output<Schema> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const unknown = result.error.issues.every(({ code }) => code === 'unrecognized_keys');
  const fields = result.error.issues.slice(0, 20).flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path.join('.'), message: issue.message }];
    return issue.keys.slice(0, 20).map((key) => ({ path: plain(key, 100), message: 'is not known here' }));
  });
  const detail = fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new DeployError(unknown ? 'unknown_field' : 'invalid_field', detail, { fields });
}
