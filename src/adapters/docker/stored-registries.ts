/** The registries that were stored, and the one of the environment behind them. */
import type { RegistryStore, Secrets } from '../../domain/ports.js';
import { registryAddress, registryContext } from '../../domain/registry-address.js';
import type { Registries, RegistryLocation } from './registry-location.js';

/** @param own that of the environment: built images are pushed there where no stored one is the default */
export function storedRegistries(
  store: RegistryStore,
  secrets: Secrets,
  own: RegistryLocation | undefined,
): Registries {
  return async () => {
    const stored = (await store.list()).flatMap(({ name, url, username, password, default_push }) => {
      const address = registryAddress(url);
      if (address === undefined) return [];
      const clear = password === undefined ? undefined : secrets.open(password, registryContext(name));
      return [
        { ...address, default_push, ...(username && { username }), ...(clear !== undefined && { password: clear }) },
      ];
    });
    return own ? [...stored, { ...own, default_push: true }] : stored;
  };
}
