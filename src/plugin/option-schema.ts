/** JSON Schema of a plugin's options, where the form in which it describes them can tell one. */
import type { StandardJSONSchemaV1 } from '@standard-schema/spec';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import type { JsonObject } from '../domain/plugin.js';
import type { OptionsForm } from './define-plugin.js';
import { isClass, isSchema } from './options.js';

/** JSON Schema (2020-12) of what may be configured. */
export function optionSchema(form: OptionsForm<unknown> | undefined): JsonObject | undefined {
  if (form === undefined) return { type: 'object', properties: {}, additionalProperties: false };
  if (isClass(form)) return targetConstructorToSchema(form) as JsonObject;
  if (!isSchema(form) || !('jsonSchema' in form['~standard'])) return undefined;
  const { jsonSchema } = form['~standard'] as StandardJSONSchemaV1.Props;
  return jsonSchema.input({ target: 'draft-2020-12' }) as JsonObject;
}
