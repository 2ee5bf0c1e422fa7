/** Reads the values of options; what has not the right form is refused with the form it should have. */
import { InvalidArgumentError } from 'commander';
import type { ChainLink } from '../domain/audit-chain.js';
import type { PortMapping, VolumeMount } from '../domain/app-spec.js';
import type { JsonObject, PluginUse } from '../domain/hooks.js';
import { PLUGIN_NAME } from '../domain/plugin.js';

export function integer(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function pluginName(text: string): string {
  if (!PLUGIN_NAME.test(text))
    throw new InvalidArgumentError('It must be lower-case letters, digits and dashes, at most 50.');
  return text;
}

/** A time as people write it, such as `2026-02-03` or `2026-02-03T10:00:00Z`, in ISO 8601. */
export function time(text: string): string {
  const value = /^\d{4}-/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(value.getTime()))
    throw new InvalidArgumentError('It must be a time, such as 2026-02-03 or 2026-02-03T10:00:00Z.');
  return value.toISOString();
}

/** An entry of the audit trail that was noted earlier. */
export function chainLink(text: string): ChainLink {
  const [, number, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === undefined) throw new InvalidArgumentError('It must be <number>:<hash>, as a verification prints it.');
  return { number: Number(number), hash };
}

/** Repeatable: `--env KEY=VALUE`; the last value of a name counts. */
export function environmentValue(text: string, former: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...former, [name]: value };
}

/** Repeatable, such as `--domain one.example --domain two.example`. */
export function listed(text: string, former: readonly string[] = []): string[] {
  return [...former, text];
}

/** Repeatable: `--plugin secret-scan`, `--plugin 'run-tests={"command":["npm","test"]}'`. */
export function pluginUse(text: string, former: readonly PluginUse[] = []): PluginUse[] {
  const [, name = '', options] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  return [...former, { name, ...(options !== undefined && { options: jsonObject(options) }) }];
}

function jsonObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Its options must be JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidArgumentError('Its options must be a JSON object.');
  return value as JsonObject;
}

/** Repeatable: `--publish 8080:80/tcp`. */
export function portMapping(text: string, former: readonly PortMapping[] = []): PortMapping[] {
  const [, host, container, protocol = 'tcp'] = /^(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (host === undefined || container === undefined)
    throw new InvalidArgumentError('It must be host:container, such as 8080:80 or 5353:53/udp.');
  const mapping = { host_port: Number(host), container_port: Number(container), protocol: protocol as 'tcp' | 'udp' };
  return [...former, mapping];
}

/** Repeatable: `--volume data:/var/lib/data:ro`. */
export function volumeMount(text: string, former: readonly VolumeMount[] = []): VolumeMount[] {
  const [, source, target, mode] = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(text) ?? [];
  if (source === undefined || target === undefined)
    throw new InvalidArgumentError('It must be source:target, with :ro where the app may only read.');
  return [...former, { source, target, read_only: mode === 'ro' }];
}
