/** The header `Idempotency-Key`: the same key and request within a day is the same deployment, never a second one. */
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Request } from 'express';
import { DeployError } from '../../domain/errors.js';
import type { Idempotency, Principal } from '../../domain/ports.js';

const HEADER = 'Idempotency-Key';
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export const Idempotent = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: HEADER,
      required: false,
      description: 'Same key and body within 24 hours: the same deployment.',
    }),
  );

/** The key that was sent. @throws DeployError `invalid_field` */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  const key = context.switchToHttp().getRequest<Request>().header(HEADER);
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
  throw new DeployError('invalid_field', `${HEADER} must be 1 to 255 printable characters.`, {
    fields: [{ path: HEADER, message: 'must be 1 to 255 printable characters' }],
  });
});

/** Keys of different tokens never meet, whatever the tokens are called. */
export function idempotencyOf(
  { actor, token_id = actor.name }: Principal,
  key: string | undefined,
  fingerprint: string,
): { readonly idempotency?: Idempotency } {
  return key === undefined ? {} : { idempotency: { key: `${actor.kind}:${token_id}:${key}`, fingerprint } };
}
