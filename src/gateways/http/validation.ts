/** Checks bodies and queries against their DTO: nothing unknown passes, nothing is converted unasked. */
import 'reflect-metadata';
import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { DeployError, type FieldError } from '../../domain/errors.js';
import { requirePlainJson } from './plain-json.js';

/** An answer names this many fields; a body of a megabyte could have a hundred thousand wrong ones. */
const MOST_FIELDS = 20;
const LONGEST_PATH = 200;

interface Finding extends FieldError {
  readonly unknown: boolean;
}

class RequestValidation extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype, data } = metadata;
    // Messages of the log stream pass here as well: they have no DTO, and checks of their own.
    if (type === 'custom' || metatype === undefined || metatype === Object) return super.transform(value, metadata);
    requirePlainJson(value, data);
    if (type === 'body' && value !== undefined) requireObject(value);
    return super.transform(type === 'query' || type === 'param' ? withPlainNumbers(value, metatype) : value, metadata);
  }
}

export function requestValidation(): ValidationPipe {
  return new RequestValidation({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    // Nest would take the value away where a part of it is wrong too, and it would look as if it had been left out.
    validationError: { value: true },
    transform: true,
    transformOptions: { enableImplicitConversion: false },
    exceptionFactory: toDeployError,
  });
}

function requireObject(body: unknown): void {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return;
  const message = 'must be an object';
  throw new DeployError('invalid_field', `The body ${message}.`, { fields: [{ path: '', message }] });
}

/** Where a number is wanted, only digits are one: JavaScript would also take '', '1e3' and '0x10'. */
function withPlainNumbers(query: unknown, metatype: NonNullable<ArgumentMetadata['metatype']>): unknown {
  if (typeof query !== 'object' || query === null) return query;
  const isNumber = (name: string) => Reflect.getMetadata('design:type', metatype.prototype as object, name) === Number;
  const plain = ([name, text]: [string, unknown]) =>
    isNumber(name) && !/^-?\d+$/.test(String(text)) ? [name, Number.NaN] : [name, text];
  return Object.fromEntries(Object.entries(query).map(plain) as [string, unknown][]);
}

function toDeployError(errors: ValidationError[]): DeployError {
  const findings = errors.flatMap((error) => findingsOf(error, ''));
  const onlyUnknown = findings.length > 0 && findings.every(({ unknown }) => unknown);
  const fields = findings.slice(0, MOST_FIELDS).map(({ path, message }) => ({ path, message }));
  const detail = fields.map(({ path, message }) => `${path || 'The body'} ${message}`).join('; ');
  return new DeployError(onlyUnknown ? 'unknown_field' : 'invalid_field', `${detail}.`, { fields });
}

function findingsOf(error: ValidationError, parent: string): Finding[] {
  // A body that is no object at all has no property.
  const path = [parent, error.property].filter(Boolean).join('.').slice(0, LONGEST_PATH);
  const nested = (error.children ?? []).flatMap((child) => findingsOf(child, path));
  if (error.constraints === undefined) return nested;
  const unknown = 'whitelistValidation' in error.constraints;
  return [{ path, message: unknown ? 'is not known here' : messageOf(error, error.constraints), unknown }, ...nested];
}

/** class-validator begins its messages with the name of the property, which the path already tells. */
function messageOf({ property, value }: ValidationError, constraints: Record<string, string>): string {
  if (!property || 'unknownValue' in constraints) return 'must be an object';
  if (value === undefined) return 'is required';
  const messages = Object.values(constraints).map((message) =>
    message.startsWith(`${property} `) ? message.slice(property.length + 1) : message,
  );
  return messages.join(', ');
}
