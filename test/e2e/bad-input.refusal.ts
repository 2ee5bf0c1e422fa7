/** Sends bad requests, and looks at every part of their refusal. */
import { connect, type Socket } from 'node:net';
import type { Problem } from '../../src/gateways/http/problem.js';
import { field, MULTIPART, upload } from '../support/multipart.js';
import { type RawAnswer, rawRequest } from '../support/raw-http.js';
import { type BadRequest, DEPLOY } from './bad-input.row.js';

/** Sends the row with this token, and answers what is not as the row says; nothing where all is. */
export async function wrongWith(row: BadRequest, url: string, token: string | undefined): Promise<unknown[]> {
  const { name, status, code, at = [] } = row;
  const answer = await send(row, url, token);
  const problem = (answer.text === '' ? {} : JSON.parse(answer.text)) as Partial<Problem>;
  const got = { status: answer.status, code: problem.code, at: (problem.errors ?? []).map(({ path }) => path) };
  const wanted = row.method === 'HEAD' ? { status, code: undefined, at: [] } : { status, code, at };
  const faults = [...faultsOf(row, answer, problem)];
  return JSON.stringify(got) === JSON.stringify(wanted) && faults.length === 0 ? [] : [{ name, got, wanted, faults }];
}

function send({ method, path, headers, body }: BadRequest, url: string, token: string | undefined): Promise<RawAnswer> {
  const isPlain = typeof body === 'object' && !Buffer.isBuffer(body);
  return rawRequest(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(isPlain && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: isPlain ? JSON.stringify(body) : body,
  });
}

/** What every refusal must be, whatever it refuses. */
function* faultsOf({ method, status, code }: BadRequest, { headers, text }: RawAnswer, problem: Partial<Problem>) {
  if (!headers['content-type']?.startsWith('application/problem+json')) yield 'is no problem document';
  if (headers.location !== undefined) yield 'leads elsewhere';
  if (status === 401 && headers['www-authenticate'] !== 'Bearer') yield 'does not say how to authenticate';
  if (status === 405 && !/^[A-Z, ]+$/.test(headers.allow ?? '')) yield 'does not say which methods are allowed';
  if (/\bat .+:\d+:\d+|node_modules|\.[jt]s:\d|\/work\/|\/dist\/|\/tmp\/|flukedeploy-e2e/.test(text))
    yield 'tells of our inside';
  if (text.length > 10_000) yield 'is longer than anybody reads';
  if (method === 'HEAD') return;
  const { type, title, detail, instance } = problem;
  if (type !== `/problems/${code}`) yield 'has another type';
  if (problem.status !== status) yield 'has another status';
  if (!title || !detail || !instance) yield 'lacks title, detail or instance';
}

/** An upload of which more is promised than ever comes. */
export function beginUpload(url: string, token: string, app_name: string, length: number): Socket {
  const { hostname, port } = new URL(url);
  const headers = {
    host: hostname,
    authorization: `Bearer ${token}`,
    ...MULTIPART,
    'content-length': length + 100_000,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const socket = connect(Number(port), hostname);
  socket.write([`POST ${DEPLOY} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  socket.write(field('spec', JSON.stringify({ app_name })));
  socket.write(upload('source', 'x'.repeat(length)).subarray(0, -2));
  return socket;
}
