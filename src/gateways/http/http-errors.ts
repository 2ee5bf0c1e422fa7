/** Errors of Nest, Express and its body parser, as errors of our table. */
import { HttpException } from '@nestjs/common';
import { DeployError, type ErrorCode } from '../../domain/errors.js';

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_field',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'unavailable',
};

/** What is neither ours nor a refusal of the framework becomes `internal`, with the thrown value as its cause. */
export function toDeployError(thrown: unknown): DeployError {
  if (thrown instanceof DeployError) return thrown;
  if (!(thrown instanceof HttpException)) return new DeployError('internal', undefined, { cause: thrown });
  const { cause } = thrown;
  const { type, limit } = (cause ?? {}) as { type?: unknown; limit?: unknown };
  // The parser's message quotes the body, which may hold secrets.
  if (type === 'entity.parse.failed') return new DeployError('malformed_json', undefined, { cause });
  if (type === 'entity.too.large') {
    return new DeployError('payload_too_large', `The body is larger than ${String(limit)} bytes.`, { cause });
  }
  if (cause instanceof URIError) return new DeployError('not_found', 'The address has a broken % sequence.', { cause });

  const code = CODES[thrown.getStatus()] ?? (thrown.getStatus() < 500 ? 'invalid_field' : 'internal');
  // Nest's own 404 repeats the address with its query, where secrets may be.
  return new DeployError(code, code === 'not_found' ? undefined : thrown.message, { cause: thrown });
}
