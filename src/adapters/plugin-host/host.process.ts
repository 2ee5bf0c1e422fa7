/**
 * The program of a plugin's process: does one piece of work with the plugin and tells the server how it ended. It is started with
 * no environment and few permissions, and killed when it has answered.
 */
import { exportedPlugin } from '../../plugin/definition-check.js';
import type { PluginDefinition } from '../../plugin/define-plugin.js';
import { readOptions } from '../../plugin/options.js';
import { runHook } from '../../plugin/run-hook.js';
import { hookContext } from './host-context.js';
import { hostFailure } from './host-failure.js';
import { importPlugin } from './host-imports.js';
import { printAtOnce } from './host-output.js';
import { HostCalls, received, remoteError, send } from './host-link.js';
import type { Answer, PluginEntry, Task } from './protocol.js';

/** Node's permissions do not cover signals: they would reach every process of the server's user. */
const SIGNALS = ['kill', '_kill', '_debugProcess', '_debugEnd'] as const;
for (const name of SIGNALS) {
  const value = (): never => {
    throw new Error(`process.${name} is not there for plugins`);
  };
  Object.defineProperty(process, name, { value });
}

printAtOnce();
const calls = new HostCalls();
const stop = new AbortController();

async function perform(plugin: PluginEntry, task: Task): Promise<void> {
  const fail = (thrown: unknown): void => {
    send({ type: 'failed', failure: hostFailure(thrown, plugin.folder, calls) });
  };
  // Rejections that nobody handles arrive here too.
  process.on('uncaughtException', fail);
  try {
    send(await answerTo(task, exportedPlugin(await importPlugin(plugin))));
  } catch (error) {
    fail(error);
  }
}

async function answerTo(task: Task, definition: PluginDefinition<unknown>): Promise<Answer> {
  switch (task.work) {
    case 'describe':
      return described(definition);
    case 'check_options':
      await readOptions(definition.options, task.options);
      return { type: 'done' };
    case 'run':
      await runHook(definition, task.hook, hookContext(task.context, stop.signal, calls));
      return { type: 'done' };
  }
}

async function described(definition: PluginDefinition<unknown>): Promise<Answer> {
  const { inProcessPlugin } = await import('../../plugin/in-process-plugin.js');
  const { name, about, after, hooks, option_schema } = inProcessPlugin(definition, {
    version: '',
    origin: 'external',
  });
  return { type: 'described', plugin: { name, about, after, hooks, ...(option_schema && { option_schema }) } };
}

for await (const message of received()) {
  switch (message.type) {
    case 'task':
      void perform(message.plugin, message.task);
      break;
    case 'answer':
      calls.answered(message);
      break;
    case 'refusal':
      calls.refused(message);
      break;
    case 'abort':
      stop.abort(remoteError(message));
      break;
  }
}
process.exit(); // the server has gone
