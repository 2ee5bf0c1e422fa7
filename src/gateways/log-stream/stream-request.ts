/** Messages of clients as the gateway's handlers get them: everything is mapped to one, so that everything is answered. */
import { StreamError } from './stream-error.js';

export const ACTIONS = ['subscribe', 'unsubscribe', 'get_stats', 'ping', 'authenticate'] as const;

/** A connection that has just opened, and a message that is no valid request; clients cannot send these as actions. */
export const OPENED = 'opened';
export const INVALID = 'invalid';

export interface StreamRequest {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Chosen by the client, and part of the answer. */
  readonly id?: string | number;
  /** Why the message cannot be handled. */
  readonly error?: StreamError;
}

/** Name of the handler, and what it gets. */
export interface StreamEvent {
  readonly event: string;
  readonly data: StreamRequest;
}

const LONGEST_ID = 200;
/** Fields that each action takes beside `action` and `id`. */
const FIELDS: Readonly<Record<(typeof ACTIONS)[number], readonly string[]>> = {
  subscribe: ['filter', 'since'],
  unsubscribe: [],
  get_stats: [],
  ping: [],
  authenticate: ['token'],
};

export function parseMessage(text: string): StreamEvent {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return invalid(new StreamError('invalid_json'));
  }
  if (!isObject(message)) return invalid(new StreamError('invalid_message'));
  const { action, id, ...fields } = message;
  if (id !== undefined && typeof id !== 'number' && (typeof id !== 'string' || id.length > LONGEST_ID)) {
    return invalid(
      new StreamError('invalid_message', `id must be a number or a text of up to ${LONGEST_ID} characters.`, 'id'),
    );
  }
  const echo = id === undefined ? {} : { id };
  if (typeof action !== 'string') return invalid(new StreamError('invalid_message'), echo);
  const known = ACTIONS.find((name) => name === action);
  if (known === undefined) {
    return invalid(
      new StreamError('unknown_action', `The action is not known; known are ${ACTIONS.join(', ')}.`),
      echo,
    );
  }
  const stranger = Object.keys(fields).find((field) => !FIELDS[known].includes(field));
  if (stranger !== undefined) {
    const text = `${stranger} is not known here; ${known} takes ${[...FIELDS[known], 'id'].join(', ')}.`;
    return invalid(new StreamError('invalid_message', text, stranger), echo);
  }
  return { event: known, data: { fields, ...echo } };
}

function invalid(error: StreamError, echo: { id?: string | number } = {}): StreamEvent {
  return { event: INVALID, data: { fields: {}, error, ...echo } };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
