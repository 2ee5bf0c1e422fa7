/** What is configured of `notify`, as it is for all plugins; its secrets are the app's own, else the server's. */
import { Injectable } from '@nestjs/common';
import { DEFAULT_CONFIG, pluginUses } from '../../domain/app-spec.js';
import { Secrets, type DeploymentRecord } from '../../domain/ports.js';
import { notify } from '../../plugins/notify/notify.js';
import { contextOf } from '../deployments/index.js';
import { Plugins } from '../plugins/index.js';
import { NotifyUses, type NotifyUse } from './notify-uses.js';

@Injectable()
export class ConfiguredUses extends NotifyUses {
  constructor(
    private readonly plugins: Plugins,
    private readonly secrets: Secrets,
  ) {
    super();
  }

  override of({ spec, config = DEFAULT_CONFIG, state }: DeploymentRecord): Promise<NotifyUse | undefined> {
    const use = pluginUses(spec, { ...DEFAULT_CONFIG, ...config }).find(({ name }) => name === notify.name);
    if (use === undefined) return Promise.resolve(undefined);
    const secret = (name: string): string | undefined => {
      for (const kind of ['secrets', 'env'] as const) {
        const sealed = config[kind][name];
        if (sealed !== undefined) return this.secrets.open(sealed, contextOf(kind, state.identity, name));
      }
      return this.plugins.server.secrets[name];
    };
    return Promise.resolve({ options: use.options ?? {}, secret });
  }
}
