/**
 * What our process and the one of a plugin tell each other, one JSON object a line. What comes from the plugin is read as
 * narrowly as what comes from the network: its code may write whatever it likes.
 */
import { z } from 'zod';
import { LIMITS } from '../../domain/limits.js';
import { LOG_LEVELS } from '../../domain/log-entry.js';
import { HOOKS, ON_FAILURE, type Hook, type HookContexts, type Json, type JsonObject } from '../../domain/plugin.js';

const text = z.string().transform((full) => full.slice(0, LIMITS.unmasked_length));
const lines = z
  .array(text)
  .transform((all) => all.slice(0, LIMITS.evidence_lines))
  .readonly();
const texts = z.record(z.string(), z.string());
const json: z.ZodType<Json> = z.json();
const jsonObject = z.record(z.string(), json);

const entry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('log'),
    level: z.enum(LOG_LEVELS),
    message: text,
    details: jsonObject.exactOptional(),
  }),
  z.object({
    type: z.literal('probed'),
    probe: z.object({
      target: text,
      healthy: z.boolean(),
      httpStatus: z.number().exactOptional(),
      durationMs: z.number().exactOptional(),
      reason: text.exactOptional(),
    }),
  }),
  z.object({
    type: z.literal('report'),
    finding: z.object({
      severity: z.enum(['error', 'warning', 'info']),
      code: text,
      message: text,
      place: text.exactOptional(),
      hint: text.exactOptional(),
    }),
  }),
  z.object({ type: z.literal('output'), name: z.string(), value: json }),
]);

const runOptions = z.object({ env: texts.exactOptional(), timeoutSeconds: z.number().exactOptional() });
const fetchOptions = z.object({
  method: z.string().exactOptional(),
  headers: texts.exactOptional(),
  body: z.string().exactOptional(),
  timeoutMs: z.number().exactOptional(),
  slot: z.number().exactOptional(),
});

const call = z.object({
  type: z.literal('call'),
  id: z.int(),
  wanted: z.discriminatedUnion('method', [
    z.object({ method: z.literal('secret'), name: z.string() }),
    z.object({
      method: z.literal('run'),
      command: z.array(z.string()).readonly(),
      options: runOptions.exactOptional(),
    }),
    z.object({ method: z.literal('fetch'), path: z.string(), options: fetchOptions.exactOptional() }),
    z.object({
      method: z.literal('connect'),
      port: z.number(),
      timeoutMs: z.number().exactOptional(),
      slot: z.number().exactOptional(),
    }),
  ]),
});

const failure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hook_failure'), code: text, message: text, evidence: lines }),
  /** A call of ours has failed, and the plugin let its error pass. */
  z.object({ kind: z.literal('call'), id: z.int(), message: text }),
  z.object({
    kind: z.literal('options'),
    message: text,
    fields: z.array(z.object({ path: z.string(), message: text })).readonly(),
  }),
  z.object({ kind: z.literal('invalid'), message: text }),
  /** Anything else; `stack` holds places inside the plugin only. */
  z.object({ kind: z.literal('thrown'), message: text, code: z.string().exactOptional(), stack: lines }),
]);

const hookRule = z.object({
  timeout_seconds: z.int().min(1).max(LIMITS.hook_seconds),
  on_failure: z.enum(ON_FAILURE),
});

const answer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('done') }),
  z.object({
    type: z.literal('described'),
    plugin: z.object({
      name: z.string().max(50),
      about: text,
      after: z.array(z.string()).readonly(),
      hooks: z.partialRecord(z.enum(HOOKS), hookRule),
      option_schema: jsonObject.exactOptional(),
    }),
  }),
  z.object({ type: z.literal('failed'), failure }),
]);

const fromPlugin = z.discriminatedUnion('type', [entry, call, answer]);

export type Entry = z.infer<typeof entry>;
export type Call = z.infer<typeof call>;
export type Answer = z.infer<typeof answer>;
export type HostFailure = z.infer<typeof failure>;
export type FromPlugin = z.infer<typeof fromPlugin>;

/** @throws Error in words for the plugin's author */
export function readMessage(line: string): FromPlugin {
  const read = fromPlugin.safeParse(JSON.parse(line, withoutPrototype));
  if (!read.success) throw new Error(z.prettifyError(read.error));
  return read.data;
}

/** A name that must not travel on: some code that copies objects would set their prototype by it. */
function withoutPrototype(name: string, value: unknown): unknown {
  return name === '__proto__' ? undefined : value;
}

/** Everything of a context that is data. */
export type ContextData = Pick<
  HookContexts<JsonObject>[Hook],
  'deployment' | 'phase' | 'attempt' | 'options' | 'outputs'
> &
  Partial<
    Pick<HookContexts['pre_build'], 'workspace'> &
      Pick<HookContexts['post_deploy'], 'image'> &
      Pick<HookContexts['post_deploy'], 'service'>
  >;

export type Task =
  | { readonly work: 'describe' }
  | { readonly work: 'check_options'; readonly options: JsonObject }
  | { readonly work: 'run'; readonly hook: Hook; readonly context: ContextData };

/** What is imported, as seen from where; and the folder that error messages may name. */
export interface PluginEntry {
  readonly specifier: string;
  readonly from: string;
  readonly folder: string;
}

export type ToPlugin =
  | { readonly type: 'task'; readonly plugin: PluginEntry; readonly task: Task }
  | { readonly type: 'answer'; readonly id: number; readonly value: Json }
  | { readonly type: 'refusal'; readonly id: number; readonly message: string; readonly code?: string }
  | { readonly type: 'abort'; readonly message: string; readonly code?: string };
