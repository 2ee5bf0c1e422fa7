/** Compares JSON schemas as far as a client is told of them: types, enums, items, properties, and what is required. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}
export type Components = Readonly<Record<string, Schema>>;

/** What is wrong with what is advertised, by its place. Fields that are not advertised are no difference, unless they are required. */
export function differences(advertised: Schema, actual: Schema, components: Components, place = ''): string[] {
  const [ours, theirs] = [branches(advertised, components), branches(actual, components)];
  const told = [
    differing(place, 'type', ours.map(typeOf), theirs.map(typeOf)),
    differing(place, 'enum', ours.flatMap(valuesOf), theirs.flatMap(valuesOf)),
    differing(place, 'required', requiredOf(ours), requiredOf(theirs)),
  ].flat();
  const [items, theirItems] = [ours.flatMap(itemsOf), theirs.flatMap(itemsOf)];
  if (items.length + theirItems.length > 0)
    told.push(...differences({ anyOf: items }, { anyOf: theirItems }, components, `${place}[]`));
  for (const name of new Set(ours.flatMap(({ properties = {} }) => Object.keys(properties)))) {
    const path = place === '' ? name : `${place}.${name}`;
    const [mine, other] = [propertyOf(ours, name), propertyOf(theirs, name)];
    told.push(
      ...(other.length === 0 ? [`${path}: unknown`] : differences({ anyOf: mine }, { anyOf: other }, components, path)),
    );
  }
  return told;
}

function differing(place: string, what: string, ours: readonly string[], theirs: readonly string[]): string[] {
  const [told, actual] = [ours, theirs].map((values) => [...new Set(values)].sort().join(' '));
  return told === actual ? [] : [`${place}: ${what} ${told || 'none'}, not ${actual || 'none'}`];
}

/** Its alternatives, and what it refers to. */
function branches(schema: Schema, components: Components): Schema[] {
  const { $ref, anyOf, oneOf, allOf } = schema;
  const inner = $ref === undefined ? (anyOf ?? oneOf ?? allOf) : [components[$ref.replace(/^.*\//, '')] ?? {}];
  return inner ? inner.flatMap((each) => branches(each, components)) : [schema];
}

/** OpenAPI is told of numbers only; whether they must be whole, the server says. */
function typeOf({ type = 'any' }: Schema): string {
  return type === 'integer' ? 'number' : type;
}

const valuesOf = (schema: Schema): string[] => (schema.enum ?? []).map(String);
const itemsOf = ({ items }: Schema): Schema[] => (items ? [items] : []);

function propertyOf(schemas: readonly Schema[], name: string): Schema[] {
  return schemas.flatMap(({ properties = {} }) => properties[name] ?? []);
}

/** Of every alternative that has properties. */
function requiredOf(schemas: readonly Schema[]): string[] {
  const [first, ...others] = schemas.filter(({ properties }) => properties).map(({ required = [] }) => required);
  return (first ?? []).filter((name) => others.every((each) => each.includes(name)));
}
