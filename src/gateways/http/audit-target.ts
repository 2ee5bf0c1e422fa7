/** Finds out what a request touches: its route's templates, filled from what is known of the request. */
import type { Request } from 'express';

/** Names from here are part of the address, the answer comes from us; what a client may say on top of them counts least. */
export interface TargetSources {
  readonly params: unknown;
  readonly answer: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

const PLACE = /:(\w+)(?:=(\w+))?/g;

/** The first template of which everything is known. */
export function targetOf(templates: readonly string[], sources: TargetSources): string | undefined {
  return templates
    .map((template) => filled(template, [sources.params, sources.answer, sources.query, sources.body]))
    .find((target) => target !== undefined);
}

export function sourcesOf({ params, query, body }: Request, answer?: unknown): TargetSources {
  return { params, answer, query, body: body as unknown };
}

/** The text under this name, in the first of them that has one. */
export function textIn(sources: readonly unknown[], name: string): string | undefined {
  const values = sources.map((source) =>
    typeof source === 'object' && source !== null && Object.hasOwn(source, name)
      ? (source as Readonly<Record<string, unknown>>)[name]
      : undefined,
  );
  return values.find((value): value is string => typeof value === 'string' && value !== '');
}

function filled(template: string, sources: readonly unknown[]): string | undefined {
  const values = Array.from(template.matchAll(PLACE), ([, name = '', otherwise]) => textIn(sources, name) ?? otherwise);
  if (values.includes(undefined)) return undefined;
  return template.replace(PLACE, () => values.shift() ?? '');
}
