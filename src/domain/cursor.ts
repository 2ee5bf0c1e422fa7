/** The cursor: a place in the one stream of all entries, opaque to clients and the same on REST, WebSocket and MCP. */
import { DeployError } from './errors.js';

/** `epoch` changes when the store is made anew, so that an old cursor can never point into another history. */
export interface StreamPosition {
  readonly epoch: string;
  /** Gap-free and in the order of commits; 0 is before the first entry. */
  readonly position: number;
}

export function encodeCursor({ epoch, position }: StreamPosition): string {
  return `${epoch}.${position.toString(36)}`;
}

/** @throws DeployError `cursor_invalid` */
export function decodeCursor(cursor: string): StreamPosition {
  const match = /^([a-z0-9]{1,16})\.([a-z0-9]{1,11})$/.exec(cursor);
  if (match?.[1] === undefined || match[2] === undefined) throw new DeployError('cursor_invalid');
  return { epoch: match[1], position: parseInt(match[2], 36) };
}
