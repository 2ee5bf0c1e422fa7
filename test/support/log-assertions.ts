/** Proves of a log entry what its readers rely on: it matches the published schema, and JSON-LD loses nothing of it. */
import { deepStrictEqual } from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { UnifiedLogEntry } from '../../src/domain/log-entry.js';
import { LOG_SCHEMA } from '../../src/domain/log-schema.js';
import { compact, expand } from './json-ld.js';

const ajv = new Ajv2020({ strict: true, allErrors: true });
formats.default(ajv);
const matchesSchema = ajv.compile<UnifiedLogEntry>(LOG_SCHEMA);

/** Throws unless the entry matches the JSON Schema. Fast enough for every entry of a run. */
export function assertMatchesSchema(entry: unknown): asserts entry is UnifiedLogEntry {
  if (matchesSchema(entry)) return;
  const faults = matchesSchema.errors?.map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}`,
  );
  throw new Error(`not a valid log entry:\n${faults?.join('\n') ?? ''}\n${JSON.stringify(entry, undefined, 2)}`);
}

/** Throws unless the entry matches the schema, expands in safe mode with every key kept, and compacts to itself. */
export async function assertValidEntry(entry: unknown): Promise<void> {
  assertMatchesSchema(entry);
  const expanded = await expand(entry);
  deepStrictEqual(expanded.length, 1, 'an entry is one node');
  deepStrictEqual(countProperties(expanded), countKeys(entry), 'every key becomes a property');
  deepStrictEqual(await compact(expanded), entry, 'compaction gives the entry back');
}

function countKeys({ source, flukedeploy_metadata, ...rest }: UnifiedLogEntry): number {
  const own = Object.keys(rest).filter((key) => !key.startsWith('@'));
  return own.length + 1 + Object.keys(source).length + Object.keys(flukedeploy_metadata).length;
}

/** Properties of a node and of the nodes below it; the inside of a value (`@value`) is not RDF's. */
function countProperties(node: unknown): number {
  if (Array.isArray(node)) return node.reduce<number>((sum, item) => sum + countProperties(item), 0);
  if (typeof node !== 'object' || node === null) return 0;
  return Object.entries(node)
    .filter(([key]) => !key.startsWith('@'))
    .reduce((sum, [, value]) => sum + 1 + countProperties(value), 0);
}
