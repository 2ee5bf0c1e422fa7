/** Lets a value into the edge's configuration only when it is what it should be: nothing in that file is taken on trust. */
import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { DeployError } from '../../domain/errors.js';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** As Docker's DNS knows it; Docker allows more, FlukeDeploy's own services need no more. */
const SERVICE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9])?$/;
const FIELD_NAME = /^[A-Za-z0-9-]{1,100}$/;
const COOKIE_NAME = /^[A-Za-z0-9_-]{1,100}$/;
const BASE64URL = /^[A-Za-z0-9_-]{1,256}$/;
const KEY_AUTHORIZATION = /^[A-Za-z0-9_-]{1,256}\.[A-Za-z0-9_-]{1,256}$/;

export const hostName = (value: string): string =>
  checked('host name', value, value.length <= 253 && HOST_NAME.test(value));
export const appName = (value: string): string => checked('app name', value, NAME.test(value));
export const environmentName = (value: string): string => checked('environment', value, NAME.test(value));
export const serviceName = (value: string): string => checked('service name', value, SERVICE.test(value));
export const ipv4 = (value: string): string => checked('IPv4 address', value, isIPv4(value));
export const challengeToken = (value: string): string => checked('challenge token', value, BASE64URL.test(value));
export const keyAuthorization = (value: string): string =>
  checked('key authorization', value, KEY_AUTHORIZATION.test(value));
export const cookieName = (value: string): string => checked('cookie name', value, COOKIE_NAME.test(value));

export function portNumber(value: number): number {
  checked('port', String(value), Number.isInteger(value) && value >= 1 && value <= 65_535);
  return value;
}

export function percentage(value: number): number {
  checked('weight', String(value), Number.isInteger(value) && value >= 0 && value <= 100);
  return value;
}

/** The nginx variable that holds a request's header field. */
export const headerVariable = (name: string): string =>
  `$http_${checked('header name', name, FIELD_NAME.test(name)).toLowerCase().replaceAll('-', '_')}`;

/** `address:port`; a name instead of the address is resolved again and again. */
export function addressAndPort(value: string): { readonly host: string; readonly port: number } {
  const [host = '', port = '', ...more] = value.split(':');
  checked('address', value, more.length === 0 && /^\d{1,5}$/.test(port) && SERVICE.test(host));
  return { host, port: portNumber(Number(port)) };
}

/** A regular expression for exactly this text: what is no letter or digit is written by its code, so that nothing can end the quotes. */
export function literally(text: string): string {
  checked('value to match', text, text.length <= 4096 && !/\p{Cc}/u.test(text));
  return [...Buffer.from(text)].map(literalByte).join('');
}

function literalByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
}

export const sha256 = (...texts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
};

/** Sorted and without doubles, so that equal states make equal files. */
export const inOrder = (values: Iterable<string>): string[] => [...new Set(values)].sort();

function checked(what: string, value: string, valid: boolean): string {
  if (valid) return value;
  // The value is quoted as JSON and cut: it may be anything.
  throw new DeployError('edge_rejected', `${JSON.stringify(value.slice(0, 100))} cannot be used as ${what}.`);
}
