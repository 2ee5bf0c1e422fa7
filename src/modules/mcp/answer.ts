/** What a tool answers: the same JSON as text and as structured content, of a bounded size, with the next call to make. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { jsonBytes } from './untrusted-text.js';

/** About four thousand tokens: an answer must not push the work itself out of a model's view. */
export const ANSWER_BYTES = 16_384;

export const NEXT = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  why: z.string(),
});
export type NextCall = z.infer<typeof NEXT>;
export type Content = Readonly<Record<string, unknown>>;

/** @param optional fields that are left out, and named, in this order when all of it would be too much */
export function answer(content: Content, optional: readonly string[] = []): CallToolResult {
  const fitting = fit(withoutAbsent(content), optional);
  return { content: [{ type: 'text', text: JSON.stringify(fitting) }], structuredContent: { ...fitting } };
}

/** The first of them, as many as so many bytes hold. */
export function fitting(lines: readonly Content[], bytes: number): Content[] {
  let left = bytes;
  return lines.filter((each) => (left -= jsonBytes(each) + 1) > 0);
}

function fit(content: Content, optional: readonly string[]): Content {
  let rest = content;
  const omitted: string[] = [];
  for (const name of [undefined, ...optional]) {
    if (name !== undefined && name in rest) {
      const { [name]: _, ...others } = rest;
      omitted.push(name);
      rest = { ...others, omitted };
    }
    if (jsonBytes(rest) <= ANSWER_BYTES) return rest;
  }
  throw new Error(`an answer of ${jsonBytes(rest)} bytes`);
}

function withoutAbsent(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}
