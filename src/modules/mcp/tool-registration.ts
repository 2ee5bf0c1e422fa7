/** Puts tools into an MCP server: their schemas as JSON Schema, their refusals as answers. */
import { Logger } from '@nestjs/common';
import {
  fromJsonSchema,
  type JsonSchemaType,
  type JsonSchemaValidator,
  type jsonSchemaValidator,
  type McpServer,
  requireScopes,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError, toFailure } from '../../domain/errors.js';
import type { Tool } from './tool.js';
import { toolCall, type SessionClient } from './tool-call.js';
import type { ToolRuns } from './tool-runs.js';
import { errorAnswer } from './tool-error.js';

const logger = new Logger('McpTool');

/** Says what the arguments are and lets all of them in: the tool itself refuses, in words that help. */
class Unchecked implements jsonSchemaValidator {
  getValidator<Value>(): JsonSchemaValidator<Value> {
    return (input) => ({ valid: true, data: input as Value, errorMessage: undefined });
  }
}

interface Schemas {
  readonly input: StandardSchemaWithJSON;
  readonly output: StandardSchemaWithJSON;
}

/** Made once: a server is built for every request. */
const SCHEMAS = new WeakMap<Tool, Schemas>();

function schemasOf(tool: Tool): Schemas {
  const { input, output } = tool.definition;
  const made = SCHEMAS.get(tool) ?? {
    input: fromJsonSchema(jsonSchema(input, 'input'), new Unchecked()),
    output: fromJsonSchema(orRefusal(jsonSchema(output, 'output'))),
  };
  SCHEMAS.set(tool, made);
  return made;
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchemaType {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, reused: 'inline' });
  return withoutNoise(rest) as JsonSchemaType;
}

/** A refusal is structured as well, and there are clients that hold it against the same schema. */
function orRefusal({ required, ...schema }: JsonSchemaType): JsonSchemaType {
  return required ? { ...schema, anyOf: [{ required }, { required: ['error'] }] } : schema;
}

/** What says nothing costs tokens all the same. */
function withoutNoise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNoise);
  if (typeof value !== 'object' || value === null) return value;
  const says = ([name, inner]: [string, unknown]) =>
    !(name === 'additionalProperties' && JSON.stringify(inner) === '{}') &&
    !(name === 'propertyNames' && JSON.stringify(inner) === '{"type":"string"}') &&
    !((name === 'minimum' || name === 'maximum') && Math.abs(Number(inner)) === Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(
    Object.entries(value)
      .filter(says)
      .map(([name, inner]) => [name, withoutNoise(inner)]),
  );
}

/** @param client that of a session */
export function registerTool(server: McpServer, tool: Tool, runs: ToolRuns, client: SessionClient | undefined): void {
  const { readOnly, definition } = tool;
  const { name, title, description, scope } = definition;
  const { input, output } = schemasOf(tool);
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: {
        readOnlyHint: readOnly,
        destructiveHint: !readOnly,
        idempotentHint: readOnly,
        openWorldHint: !readOnly,
      },
      scopeChallenge: requireScopes(scope),
    },
    async (values, context) => {
      const call = toolCall(values, context, client);
      try {
        return await runs.run(tool, call);
      } catch (error) {
        return errorAnswer(name, call.arguments, told(error));
      }
    },
  );
}

function told(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  logger.error(
    error instanceof Error ? error.message : toFailure(error).message,
    error instanceof Error ? error.stack : undefined,
  );
  return new DeployError('internal');
}
