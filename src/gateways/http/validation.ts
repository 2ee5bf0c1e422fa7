/** Checks bodies and queries against their DTO: nothing unknown passes, nothing is converted unasked. */
import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { DeployError, type FieldError } from '../../domain/errors.js';

/** An answer names this many fields; a body of a megabyte could have a hundred thousand wrong ones. */
const MOST_FIELDS = 20;
const LONGEST_PATH = 200;

interface Finding extends FieldError {
  readonly unknown: boolean;
}

export function requestValidation(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    transformOptions: { enableImplicitConversion: false },
    exceptionFactory: toDeployError,
  });
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
