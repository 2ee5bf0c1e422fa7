/**
 * What is configured of `notify`, as it is for all plugins. Where the server has switched it on, its secrets are the server's, else the
 * app's; where an app or a deployment has, they are the app's alone: they choose the address, and may not send there what is not theirs.
 */
import { Injectable } from '@nestjs/common';
import { DEFAULT_CONFIG, isOfServer, pluginUses } from '../../domain/app-spec.js';
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
    const server = isOfServer(spec, use) ? this.plugins.server.secrets : {};
    const secret = (name: string): string | undefined => {
      if (Object.hasOwn(server, name)) return server[name];
      for (const kind of ['secrets', 'env'] as const) {
        const sealed = Object.hasOwn(config[kind], name) ? config[kind][name] : undefined;
        if (sealed !== undefined) return this.secrets.open(sealed, contextOf(kind, state.identity, name));
      }
      return undefined;
    };
    return Promise.resolve({ options: use.options ?? {}, secret });
  }
}
