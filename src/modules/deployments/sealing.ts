/** What sealed values are bound to: none can be moved to another app, kind or name. */
import type { AppConfig } from '../../domain/app-spec.js';
import type { AppPlace, Secrets } from '../../domain/ports.js';

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

/** Clear values of the app's environment variables and secret files. @throws Error where they were sealed under another key */
export function opened(
  secrets: Secrets,
  place: AppPlace,
  config: Pick<AppConfig, SecretKind>,
): Record<SecretKind, Readonly<Record<string, string>>> {
  const open = (kind: SecretKind): Record<string, string> =>
    Object.fromEntries(
      Object.entries(config[kind]).map(([name, value]) => [name, secrets.open(value, contextOf(kind, place, name))]),
    );
  return { env: open('env'), secrets: open('secrets') };
}
