/** What a request to an app may hold besides its URL. Pure. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { DeployError } from '../../domain/errors.js';
import type { FetchRequest } from '../../domain/ports.js';

/** These speak of one connection (RFC 9110 §7.6.1) or of where the body ends: whoever holds the connection sets them. */
const OURS = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** @throws DeployError `invalid_field`: names are told, values are not, for they may be secret */
export function checkRequest({ method, headers }: Pick<FetchRequest, 'method' | 'headers'>): void {
  // CONNECT would make something else of the connection.
  if (!/^[A-Z][A-Z-]*$/.test(method) || method === 'CONNECT') {
    throw new DeployError('invalid_field', `No request has the method ${JSON.stringify(method)}.`);
  }
  for (const [name, value] of Object.entries(headers)) {
    if (OURS.includes(name.toLowerCase()))
      throw new DeployError('invalid_field', `The header ${name} cannot be chosen.`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      throw new DeployError('invalid_field', `The header ${JSON.stringify(name)} holds what headers cannot.`, {
        cause: error,
      });
    }
  }
}
