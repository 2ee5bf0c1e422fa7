/** Addresses of ours as the client of a request knows them. */
import type { Request } from 'express';

export function originOf(request: Request): string {
  return `${request.protocol}://${request.host}`;
}

/** Where it is told which credentials `/mcp` takes. */
export function metadataUrl(request: Request): string {
  return `${originOf(request)}/.well-known/oauth-protected-resource/mcp`;
}
