/** What a client of the log stream may get wrong, and the error that answers it. */
import type { ErrorMessage } from '../../src/gateways/log-stream/stream-error.js';

export interface BadMessage {
  readonly name: string;
  readonly message: string | Buffer;
  readonly code: ErrorMessage['code'];
  readonly field?: string;
}

const row = (message: unknown, code: ErrorMessage['code'], field?: string): BadMessage => {
  const sent = typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message);
  return { name: sent.toString().slice(0, 60), message: sent, code, ...(field !== undefined && { field }) };
};
const filter = (value: unknown, field: string) => row({ action: 'subscribe', filter: value }, 'bad_filter', field);

const NO_WORDS: readonly unknown[] = [null, 1, true, [], {}, ['x'], '', '\0', 'x'.repeat(201)];

export const BAD_MESSAGES: readonly BadMessage[] = [
  ...['', '{', 'ping', "{'action':'ping'}", '{"action":"ping",}', '\0'].map((text) => row(text, 'invalid_json')),
  ...[Buffer.from([0, 255, 1]), Buffer.from('ping'), Buffer.alloc(1_000)].map((bytes) => row(bytes, 'invalid_json')),
  ...['[]', '[{"action":"ping"}]', 'null', '1', '"ping"', 'true', '{}'].map((text) => row(text, 'invalid_message')),
  row('['.repeat(20_000) + ']'.repeat(20_000), 'invalid_message'),
  ...[null, 1, true, [], ['ping'], {}].map((action) => row({ action }, 'invalid_message')),
  ...['', 'PING', 'drop', 'opened', 'invalid', '__proto__', 'constructor', 'toString', 'ping '].map((action) =>
    row({ action }, 'unknown_action'),
  ),
  ...[null, true, [], {}, 'x'.repeat(201)].map((id) => row({ action: 'ping', id }, 'invalid_message', 'id')),
  ...['ping', 'get_stats', 'unsubscribe', 'subscribe', 'authenticate'].map((action) =>
    row({ action, extra: 1 }, 'invalid_message', 'extra'),
  ),
  row('{"action":"subscribe","__proto__":{"filter":{}}}', 'invalid_message', '__proto__'),
  ...[null, 'x', 1, true, []].map((value) => filter(value, 'filter')),
  ...['x', 'APP_NAME', 'constructor', 'app'].map((name) => filter({ [name]: 'x' }, name)),
  row('{"action":"subscribe","filter":{"__proto__":{"level":"info"}}}', 'bad_filter', '__proto__'),
  ...['app_name', 'deployment_id'].flatMap((name) => NO_WORDS.map((value) => filter({ [name]: value }, name))),
  ...[...NO_WORDS, 'INFO', 'fatal', '__proto__'].map((level) => filter({ level }, 'level')),
  ...[...NO_WORDS, 'BUILD_START', 'log'].map((event_type) => filter({ event_type }, 'event_type')),
  ...NO_WORDS.map((since) => row({ action: 'subscribe', since }, 'bad_filter', 'since')),
  ...['x', 'a.b.c', '-1', '../x', "a.1'", 'A.1', `a.${'z'.repeat(12)}`].map((since) =>
    row({ action: 'subscribe', since }, 'cursor_invalid'),
  ),
];

const parameters = (query: string, code: ErrorMessage['code'], field?: string) => ({ query, code, field });

/** Parameters of the stream's address. */
export const BAD_PARAMETERS = [
  parameters('x=1', 'bad_filter', 'x'),
  parameters('level=loud', 'bad_filter', 'level'),
  parameters('level=info&level=info', 'bad_filter', 'level'),
  parameters('app_name=', 'bad_filter', 'app_name'),
  parameters(`app_name=${'x'.repeat(201)}`, 'bad_filter', 'app_name'),
  parameters('event_type=BUILD_START', 'bad_filter', 'event_type'),
  parameters('since=', 'bad_filter', 'since'),
  parameters('since=x', 'cursor_invalid'),
  parameters('__proto__=x', 'bad_filter', '__proto__'),
  parameters('%', 'bad_filter', '%'),
];

/** Pages of these origins may not read along. */
export const FOREIGN_ORIGINS = ['http://evil.example', 'https://127.0.0.1.evil.example', 'null', 'file://', 'x'];
