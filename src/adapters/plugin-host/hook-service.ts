/** Does for the plugin's process what a hook may ask for: hands its entries and calls to the real context. */
import { DeployError } from '../../domain/errors.js';
import type { Hook, HookContexts, Json, JsonObject } from '../../domain/plugin.js';
import { HOST_LIMITS } from './host-limits.js';
import type { Call, ContextData, Entry, ToPlugin } from './protocol.js';

type AnyContext = HookContexts<JsonObject>[Hook];

export class HookService {
  readonly #refusals = new Map<number, unknown>();
  #open = 0;

  constructor(
    private readonly plugin: string,
    private readonly context: AnyContext,
  ) {}

  /** @throws what the context refuses */
  entry(entry: Entry): void {
    switch (entry.type) {
      case 'log':
        this.context.log(entry.level, entry.message, entry.details);
        break;
      case 'probed':
        this.context.probed(entry.probe);
        break;
      case 'report':
        this.context.report(entry.finding);
        break;
      case 'output':
        this.context.output(entry.name, entry.value);
        break;
    }
  }

  /** @throws DeployError `plugin_flooded` where more is asked than is read */
  call({ id, wanted }: Call, send: (message: ToPlugin) => Promise<unknown>): void {
    if (++this.#open > HOST_LIMITS.calls_at_once) {
      const message = `It made more than ${HOST_LIMITS.calls_at_once} calls at the same time.`;
      throw new DeployError('plugin_flooded', message, { plugin: { name: this.plugin } });
    }
    void this.result(wanted)
      .then(
        (value) => send({ type: 'answer', id, value }),
        (error: unknown) => {
          this.#refusals.set(id, error);
          return send({ type: 'refusal', id, ...words(error) });
        },
      )
      .finally(() => this.#open--);
  }

  /** What the call has thrown. */
  refusal(id: number): unknown {
    return this.#refusals.get(id);
  }

  private async result(wanted: Call['wanted']): Promise<Json> {
    const { context } = this;
    switch (wanted.method) {
      case 'secret':
        return context.secret(wanted.name);
      case 'run':
        if ('run' in context) return { ...(await context.run(wanted.command, wanted.options)) };
        break;
      case 'fetch':
        if ('fetch' in context) return { ...(await context.fetch(wanted.path, wanted.options)) };
        break;
      case 'connect':
        if ('connect' in context) return { ...(await context.connect(wanted.port, wanted.timeoutMs, wanted.slot)) };
        break;
    }
    throw new TypeError(`context.${wanted.method} is not a function of this hook`);
  }
}

/** Everything of the context that is data. */
export function contextData(context: AnyContext): ContextData {
  const { deployment, phase, attempt, options, outputs } = context;
  return {
    deployment,
    phase,
    attempt,
    options,
    outputs,
    ...('workspace' in context && { workspace: context.workspace }),
    ...('image' in context && { image: context.image }),
    ...('service' in context && { service: context.service }),
  };
}

/** An error as it is told across the border. */
export function words(error: unknown): { readonly message: string; readonly code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, code } = error as NodeJS.ErrnoException;
  return { message, ...(typeof code === 'string' && { code }) };
}
