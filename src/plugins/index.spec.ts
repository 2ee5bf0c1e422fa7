import { expect, it } from '@jest/globals';
import { builtInPlugins, type PluginPorts } from './index.js';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

// Nothing is run: no plugin asks for its port.
const plugins = builtInPlugins({} as PluginPorts, '1.0.0');

it.each(plugins.map(({ name, option_schema }) => [name, option_schema]))('%s describes every option', (_, schema) => {
  expect(schema).toBeDefined();
  expect(undescribed(schema as Schema)).toEqual([]);
});

/** Paths of the options without a description. */
function undescribed({ properties = {}, items, anyOf = [], oneOf = [] }: Schema, place = ''): string[] {
  const named = Object.entries(properties).flatMap(([name, property]) => {
    const path = `${place}.${name}`;
    return [...(property.description ? [] : [path]), ...undescribed(property, path)];
  });
  const inside = [...(items ? [items] : []), ...anyOf, ...oneOf];
  return [...named, ...inside.flatMap((schema) => undescribed(schema, place))];
}
