/** What a request says beside its credentials: for whom it acts, and which approval it brings along. */
import type { Request } from 'express';
import { DeployError } from '../../domain/errors.js';

const ON_BEHALF_OF = 'X-On-Behalf-Of';
const APPROVAL = 'Approval';
const MOST_CHARACTERS = 200;

/** @throws DeployError `invalid_field` */
export function onBehalfOf(request: Request): string | undefined {
  const text = request.header(ON_BEHALF_OF);
  if (text === undefined) return undefined;
  // Node reads headers as Latin-1; clients write names in UTF-8.
  const name = Buffer.from(text, 'latin1').toString('utf8').trim();
  const isPrintable = /^[^\p{C}\uFFFD]+$/u.test(name) && name.length <= MOST_CHARACTERS;
  if (!isPrintable) throw refused(ON_BEHALF_OF, `must be 1 to ${MOST_CHARACTERS} printable characters`);
  return name;
}

/** @throws DeployError `invalid_field` */
export function approvalOf(request: Request): string | undefined {
  const id = request.header(APPROVAL);
  if (id !== undefined && !/^apr-[0-9a-f]{16}$/.test(id)) throw refused(APPROVAL, 'must be the id of an approval');
  return id;
}

function refused(path: string, message: string): DeployError {
  return new DeployError('invalid_field', `${path} ${message}.`, { fields: [{ path, message }] });
}
