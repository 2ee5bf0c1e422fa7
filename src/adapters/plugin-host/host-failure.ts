/** Tells the server what a plugin has thrown: anything at all, so nothing of it is trusted to be readable. */
import { pathToFileURL } from 'node:url';
import { DeployError } from '../../domain/errors.js';
import { HookFailure } from '../../domain/plugin.js';
import type { HostCalls } from './host-link.js';
import type { HostFailure } from './protocol.js';

export function hostFailure(thrown: unknown, folder: string, calls: HostCalls): HostFailure {
  try {
    const call = calls.idOf(thrown);
    if (call !== undefined) return { kind: 'call', id: call, message: (thrown as Error).message };
    if (thrown instanceof HookFailure) {
      const { code, message, evidence } = thrown;
      return { kind: 'hook_failure', code: words(code), message: words(message), evidence: evidence.map(words) };
    }
    if (thrown instanceof DeployError) {
      const { code, message, fields = [] } = thrown;
      return code === 'plugin_options_invalid' ? { kind: 'options', message, fields } : { kind: 'invalid', message };
    }
    if (!(thrown instanceof Error)) return { kind: 'thrown', message: String(thrown), stack: [] };
    const { message, stack, code } = thrown as NodeJS.ErrnoException;
    return {
      kind: 'thrown',
      message: words(message),
      ...(typeof code === 'string' && { code }),
      stack: placesInside(folder, words(stack)),
    };
  } catch {
    return { kind: 'thrown', message: 'It threw something that cannot be told.', stack: [] };
  }
}

/** Lines of a stack, or in front of the one of a syntax error, that name files of the plugin; without their folder. */
function placesInside(folder: string, stack: string): string[] {
  const inside = [`${pathToFileURL(folder).href}/`, `${folder}/`];
  return stack
    .split('\n')
    .filter((line) => /^ {4}at |^[^ ].*:\d+$/.test(line) && inside.some((prefix) => line.includes(prefix)))
    .map((line) => inside.reduce((shorter, prefix) => shorter.replace(prefix, ''), line).replace(/^ {4}at /, ''));
}

function words(value: unknown): string {
  return String(value);
}
