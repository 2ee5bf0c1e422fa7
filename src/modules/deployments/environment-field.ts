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

/** Contents of files: Docker keeps no empty ones, and their names may look like those of files. */
export const IsSecretFiles = ({ removable = false } = {}): PropertyDecorator =>
  ValidateBy({
    name: 'isSecretFiles',
    validator: {
      validate: (value) =>
        isNamed(value, FILE_NAME, (text) => (removable && text === null) || (isValue(text) && text !== '')),
      defaultMessage: () =>
        `secrets must map file names ([A-Za-z0-9_][A-Za-z0-9_.-]*) to texts that are not empty${removable ? ', or null' : ''}, ${ENVIRONMENT_LIMITS}`,
    },
  });

const VARIABLE_NAME = /^[A-Za-z_]\w{0,199}$/;
const FILE_NAME = /^\w[\w.-]{0,199}$/;

function isEnvironment(value: unknown, removable: boolean): boolean {
  return isNamed(value, VARIABLE_NAME, (text) => (removable && text === null) || isValue(text));
}

function isNamed(value: unknown, form: RegExp, isGood: (text: unknown) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (
    isWithinLimits(value as Record<string, unknown>) &&
    Object.entries(value).every(([name, text]) => form.test(name) && isGood(text))
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
