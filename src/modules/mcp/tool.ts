/** What a tool of the MCP server is: its schemas, the scope it needs, and whether it looks or changes something. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../domain/errors.js';
import type { Told } from '../audit/index.js';
import type { Scope } from '../auth/index.js';
import type { Content } from './answer.js';
import { plain } from './untrusted-text.js';
import type { ToolCall } from './tool-call.js';

export interface ToolDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly scope: Scope;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
}

export abstract class ReadingTool {
  readonly readOnly = true;
  abstract readonly definition: ToolDefinition;
  /** What it is about, as far as the arguments tell: for the audit trail, where the look is refused. */
  targetOf({ app_name, deployment_id }: Content): string {
    const named = [app_name, deployment_id].find((name) => typeof name === 'string' && name !== '');
    return typeof named === 'string' ? named : this.definition.name;
  }
  /** @throws DeployError, which becomes an answer with the next call to make */
  abstract run(call: ToolCall): Promise<CallToolResult>;
}

/** What was done, for the audit trail; the answer to the model may take its time after that. */
export interface Changed {
  readonly told: Told;
  readonly answer: () => Promise<CallToolResult>;
}

/** Its change is made by `ToolRuns` only: noted before, and recorded whatever comes of it. */
export abstract class ChangingTool {
  readonly readOnly = false;
  abstract readonly definition: ToolDefinition;
  /** What the audit trail calls it: as the route that does the same. */
  abstract readonly action: string;
  /** What it is done to, as far as the arguments tell. */
  abstract targetOf(given: Content): string;
  /** What it would do: for `dry_run`. @throws DeployError as `run` does */
  abstract plan(call: ToolCall): Promise<CallToolResult>;
  /** @throws DeployError as `run` does */
  abstract change(call: ToolCall): Promise<Changed>;
}

export type Tool = ReadingTool | ChangingTool;
export const MCP_TOOLS = Symbol('MCP_TOOLS');

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
