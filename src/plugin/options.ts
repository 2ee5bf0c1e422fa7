/** Reads the options of a plugin by the form in which it describes them. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ValidationError } from 'class-validator';
import { DeployError, type FieldError } from '../domain/errors.js';
import type { JsonObject } from '../domain/plugin.js';
import type { OptionsForm } from './define-plugin.js';

type OptionsClass<Options> = new () => Options & object;

/** @throws DeployError `plugin_options_invalid` whose fields are paths inside the options */
export async function readOptions<Options>(
  form: OptionsForm<Options> | undefined,
  input: JsonObject,
): Promise<Options> {
  if (form === undefined) {
    const names = Object.keys(input);
    if (names.length > 0)
      throw invalid(names.map((path) => ({ path, message: 'is not known: the plugin takes no options' })));
    return {} as Options;
  }
  if (isSchema(form)) {
    const result = await form['~standard'].validate(input);
    if (result.issues) throw invalid(result.issues.map(({ message, path = [] }) => ({ path: dotted(path), message })));
    return result.value;
  }
  return isClass(form) ? fromClass(form, input) : fromFunction(form, input);
}

/** Schemas of some libraries are functions too. */
export function isSchema<Options>(form: OptionsForm<Options>): form is StandardSchemaV1<unknown, Options> {
  return '~standard' in form;
}

/** Of all functions only classes have a prototype that cannot be replaced. */
export function isClass<Options>(form: OptionsForm<Options>): form is OptionsClass<Options> {
  return typeof form === 'function' && Object.getOwnPropertyDescriptor(form, 'prototype')?.writable === false;
}

async function fromClass<Options>(form: OptionsClass<Options>, input: JsonObject): Promise<Options> {
  // Loaded late: they take longer to load than most hooks take to run.
  const [{ plainToInstance }, { validate }] = await Promise.all([
    import('class-transformer'),
    import('class-validator'),
  ]);
  const options = plainToInstance(form, input);
  const errors = await validate(options, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (errors.length > 0) throw invalid(errors.flatMap((error) => fieldsOf(error, '')));
  return options;
}

function fieldsOf({ property, constraints = {}, children = [] }: ValidationError, parent: string): FieldError[] {
  const path = parent ? `${parent}.${property}` : property;
  const own = Object.values(constraints).map((message) => ({ path, message }));
  return [...own, ...children.flatMap((child) => fieldsOf(child, path))];
}

/** Libraries throw errors with `issues`; what is written by hand throws a sentence. */
function fromFunction<Options>(form: (input: JsonObject) => Options, input: JsonObject): Options {
  try {
    return form(input);
  } catch (error) {
    const issues = error instanceof Error && 'issues' in error && Array.isArray(error.issues) ? error.issues : [];
    const told = (issues as StandardSchemaV1.Issue[]).map(({ message, path = [] }) => ({
      path: dotted(path),
      message,
    }));
    throw invalid(
      told.length > 0 ? told : [{ path: '', message: error instanceof Error ? error.message : String(error) }],
    );
  }
}

function dotted(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
}

function invalid(fields: readonly FieldError[]): DeployError {
  const detail = fields.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  return new DeployError('plugin_options_invalid', detail, { fields });
}
