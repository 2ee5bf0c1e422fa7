/** What a route is called in the audit trail. Every route that may change something says so, or why not; a server with one that does not never starts. */
import { SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

export interface AuditedAction {
  /** `<thing>.<verb>`, such as `app.scale`; a name never changes its meaning. */
  readonly action: string;
  /**
   * What is touched, as templates such as `:name/:environment=production`: names are looked up in the parameters, the answer,
   * the query and the body, and may have a default. The first template of which everything is known counts.
   */
  readonly targets: readonly string[];
}

const AUDITED = 'flukedeploy:audited';
const UNAUDITED = 'flukedeploy:unaudited';

export const Audited = (action: string, ...targets: readonly string[]): MethodDecorator =>
  SetMetadata(AUDITED, { action, targets } satisfies AuditedAction);

/** A request to this route is no change by itself, whatever its method says. Its refusals are recorded like those of any look. */
export const Unaudited = (reason: string): MethodDecorator => SetMetadata(UNAUDITED, reason);

export function isUnaudited(reflector: Reflector, handler: () => unknown): boolean {
  return reflector.get<string | undefined>(UNAUDITED, handler) !== undefined;
}

export function auditedActionOf(reflector: Reflector, handler: () => unknown): AuditedAction | undefined {
  return reflector.get<AuditedAction | undefined>(AUDITED, handler);
}

/** Methods that HTTP says to change nothing. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isChange(method: string): boolean {
  return !SAFE.has(method);
}
