/** What the JSON Schema of a plugin's options says of them. */
import { z, type PluginDefinition } from '../../src/plugin/index.js';

/** Paths of the options without a description. */
export function undescribedOptions<Options>({ options }: PluginDefinition<Options>): string[] {
  return undescribed(z.toJSONSchema(options as unknown as z.ZodType, { io: 'input' }), '');
}

function undescribed(schema: unknown, place: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const {
    properties = {},
    items,
    anyOf = [],
  } = schema as {
    properties?: Record<string, { description?: string }>;
    items?: unknown;
    anyOf?: unknown[];
  };
  return [
    ...Object.entries(properties).flatMap(([name, property]) => [
      ...(property.description ? [] : [`${place}.${name}`]),
      ...undescribed(property, `${place}.${name}`),
    ]),
    ...undescribed(items, `${place}[]`),
    ...anyOf.flatMap((one) => undescribed(one, place)),
  ];
}
