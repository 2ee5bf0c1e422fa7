/**
 * Sends webhooks over HTTP, to addresses that users have named: only to the public internet or to hosts on the operator's list,
 * within a deadline, without following redirects, and without believing or keeping what is answered.
 */
import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { WebhookSender, type WebhookReply, type WebhookRequest } from '../../domain/notification-ports.js';
import { checkedAddresses, HostUnusable, isListed } from '../network/public-address.js';
import { retryAfterMs } from '../network/retry-after.js';

const ANSWER_BYTES = 64 * 1024;

export interface HttpWebhookSenderOptions {
  /** Hosts, or `host:port`, that may be private and may be told over http. */
  readonly allowedHosts: readonly string[];
  readonly timeoutMs?: number;
}

export class HttpWebhookSender extends WebhookSender {
  readonly #options: Required<HttpWebhookSenderOptions>;

  constructor(options: HttpWebhookSenderOptions) {
    super();
    this.#options = { timeoutMs: 10_000, ...options };
  }

  override async send(webhook: WebhookRequest, signal: AbortSignal): Promise<WebhookReply> {
    const { allowedHosts, timeoutMs } = this.#options;
    const url = URL.canParse(webhook.url) ? new URL(webhook.url) : undefined;
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return refused('The URL is not one of http.');
    if (url.protocol === 'http:' && !isListed(url, allowedHosts)) {
      return refused('Without TLS only hosts are told that NOTIFY_ALLOWED_HOSTS lists.');
    }
    const timeout = AbortSignal.timeout(timeoutMs);
    const stop = AbortSignal.any([signal, timeout]);
    try {
      const addresses = await checkedAddresses(url, allowedHosts, stop);
      return await exchange(url, webhook, addresses, stop);
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) return unanswered(`There was no answer within ${timeoutMs / 1000} seconds.`);
      if (!(error instanceof HostUnusable)) return unanswered(`There was no answer: ${codeOf(error)}.`);
      return error.reason === 'not_public'
        ? refused('The host is not on the public internet, and NOTIFY_ALLOWED_HOSTS does not list it.')
        : unanswered('The host is not known to the name server.');
    }
  }
}

async function exchange(
  url: URL,
  { headers, body }: WebhookRequest,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<WebhookReply> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    // Each on a connection of its own, to the addresses that were checked and to no others.
    agent: false,
    lookup: answering(addresses),
    signal,
  };
  const outgoing = send(url, options);
  // What breaks after the answer has begun is nobody's concern, and must not end the process.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  await discard(incoming);
  const retry_after_ms = retryAfterMs(incoming.headers['retry-after'], Date.now());
  const status = incoming.statusCode ?? 0;
  return { kind: 'answered', status, ...(retry_after_ms !== undefined && { retry_after_ms }) };
}

/** Reads no more of the answer than is polite. Its status has come: whether the rest does is of no interest. */
async function discard(incoming: IncomingMessage): Promise<void> {
  try {
    let size = 0;
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > ANSWER_BYTES) break;
    }
  } catch {
    // Cut off, or too slow.
  }
}

/** A name server of one answer. */
function answering(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, callback) => {
    if (all) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
}

/** The message of a network error names the address; its code does not. */
function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}

const refused = (reason: string): WebhookReply => ({ kind: 'refused', reason });
const unanswered = (reason: string): WebhookReply => ({ kind: 'unanswered', reason });
