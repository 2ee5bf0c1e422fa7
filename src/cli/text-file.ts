/** Reads the files that options name. */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { UsageError } from './failures.js';

/** @throws UsageError */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** One secret, on one line. @throws UsageError */
export async function readSecret(path: string): Promise<string> {
  return oneLine(await readText(path), path);
}

/** Without the newline at its end. @throws UsageError */
export function oneLine(text: string, from: string): string {
  const line = text.replace(/\r?\n$/, '');
  if (line === '' || /[\r\n]/.test(line)) throw new UsageError(`${from} must hold exactly one line`);
  return line;
}

/** @throws UsageError */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${path} must hold a JSON object`);
  return value as Record<string, unknown>;
}

/** `KEY=VALUE` lines with comments and quotes, as Node itself reads `.env` files. @throws UsageError */
export async function readEnvironmentFile(path: string): Promise<Record<string, string>> {
  const variables = Object.entries(parseEnv(await readText(path)));
  return Object.fromEntries(variables.map(([name, value]) => [name, value ?? '']));
}
