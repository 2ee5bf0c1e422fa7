/** Names and values of environment variables and secret files: their form, and how much there may be in all. */
import { ValidateBy } from 'class-validator';
import { LIMITS } from '../../domain/limits.js';

export const ENVIRONMENT_LIMITS = `at most ${LIMITS.env_variables}, of ${LIMITS.env_total_length} characters in all`;

/** With `removable`, null takes a name away. */
export const IsEnvironment = ({ removable = false } = {}): PropertyDecorator =>
  ValidateBy({
    name: 'isEnvironment',
    validator: {
      validate: (value) => isEnvironment(value, removable),
      defaultMessage: () =>
        `env must map names ([A-Za-z_][A-Za-z0-9_]*) to strings${removable ? ' or null' : ''}, ${ENVIRONMENT_LIMITS}`,
    },
  });

function isEnvironment(value: unknown, removable: boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (
    isWithinLimits(value as Record<string, unknown>) &&
    Object.entries(value).every(
      ([name, text]) => /^[A-Za-z_]\w{0,199}$/.test(name) && ((removable && text === null) || isValue(text)),
    )
  );
}

/** Whether an app may have all of these. */
export function isWithinLimits(values: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.entries(values);
  const length = entries.flat().reduce((sum: number, text) => sum + String(text).length, 0);
  return entries.length <= LIMITS.env_variables && length <= LIMITS.env_total_length;
}

function isValue(text: unknown): boolean {
  return typeof text === 'string' && text.length <= LIMITS.env_value_length && !text.includes('\0');
}
