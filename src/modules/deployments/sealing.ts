/** What sealed values are bound to: none can be moved to another app, kind or name. */
import type { AppPlace } from '../../domain/ports.js';

export function envContext({ app_name, environment }: AppPlace, name: string): string {
  return `${app_name}/${environment}/env/${name}`;
}

export function secretContext({ app_name, environment }: AppPlace, name: string): string {
  return `${app_name}/${environment}/secret/${name}`;
}

export type SecretKind = 'env' | 'secrets';

export function contextOf(kind: SecretKind, place: AppPlace, name: string): string {
  return kind === 'env' ? envContext(place, name) : secretContext(place, name);
}

export function gitContext({ app_name, environment }: AppPlace): string {
  return `${app_name}/${environment}/git`;
}
