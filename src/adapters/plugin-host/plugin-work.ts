/** One piece of work of a plugin, from the start of its process until that is gone. */
import { DeployError } from '../../domain/errors.js';
import { HookFailure } from '../../domain/plugin.js';
import { HOST_LIMITS } from './host-limits.js';
import { type HookService, words } from './hook-service.js';
import type { PluginLocation } from './plugin-location.js';
import { PluginProcess } from './plugin-process.js';
import type { Answer, HostFailure, Task } from './protocol.js';

/** A plugin's work has failed in its own code, which it told itself. */
export class ToldFailure extends Error {
  constructor(readonly failure: HostFailure) {
    super(failure.message);
  }
}

export interface Work {
  /** Its name is the one that it was configured by, until it has told its own. */
  readonly plugin: PluginLocation & { readonly name: string };
  readonly task: Task;
  readonly signal: AbortSignal;
  /** Whose hook it is; without one nobody listens. */
  readonly service?: HookService;
}

/** @throws ToldFailure; the signal's reason; DeployError for everything that the process did instead of an answer */
export async function work({ plugin, task, signal, service }: Work): Promise<Answer> {
  signal.throwIfAborted();
  let answer: Answer | undefined;
  const workspace = task.work === 'run' ? task.context.workspace?.folder : undefined;
  const child = new PluginProcess(plugin, workspace, {
    line: (level, text) => service?.entry({ type: 'log', level, message: text }),
    message: (message) => {
      switch (message.type) {
        case 'done':
        case 'described':
        case 'failed':
          // After the abort it is too late for an answer.
          if (!signal.aborted) answer ??= message;
          child.finish();
          return;
        case 'call':
          service?.call(message, (reply) => child.send(reply));
          return;
        case 'log':
        case 'probed':
        case 'report':
        case 'output':
          service?.entry(message);
      }
    },
  });

  let grace: NodeJS.Timeout | undefined;
  const abort = (): void => {
    void child.send({ type: 'abort', ...words(signal.reason) });
    grace = setTimeout(() => child.finish(), task.work === 'run' ? HOST_LIMITS.grace_ms : 0);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    void child.send({ type: 'task', plugin, task });
    await child.ended;
  } finally {
    signal.removeEventListener('abort', abort);
    clearTimeout(grace);
  }
  if (answer === undefined) signal.throwIfAborted();
  if (answer === undefined) throw new DeployError('plugin_crashed');
  if (answer.type === 'failed') throw new ToldFailure(answer.failure);
  return answer;
}

/** The failure of a hook as the pipeline tells it. */
export function hookFailure({ failure }: ToldFailure, name: string, service: HookService): unknown {
  const plugin = { name };
  switch (failure.kind) {
    case 'hook_failure':
      return new HookFailure(failure.code, failure.message, failure.evidence);
    case 'options':
      return new DeployError('plugin_options_invalid', failure.message, { fields: failure.fields, plugin });
    case 'invalid':
      return new DeployError('plugin_invalid', failure.message, { plugin });
    case 'call':
      return service.refusal(failure.id) ?? new DeployError('hook_failed', failure.message, { plugin });
    case 'thrown':
      return new DeployError('hook_failed', failure.message, { evidence: failure.stack, plugin });
  }
}
