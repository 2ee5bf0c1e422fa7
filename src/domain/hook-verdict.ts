/** How a hook is judged, by what it has found and by what it has thrown: the same on a server and in the tests of a plugin. Pure. */
import { DeployError, ERRORS, type ErrorCode } from './errors.js';
import type { Finding, JsonObject, Json } from './hooks.js';
import { LIMITS } from './limits.js';
import { HookFailure, type HookContext, type Plugin } from './plugin.js';
import { failing, isGate, VALIDATION_GATES, type GateMode } from './validation-gates.js';

/** `fail` of every context. */
export const fail: HookContext['fail'] = (code, message, evidence) => {
  throw new HookFailure(code, message, evidence);
};

/** What has been found may fail a hook, though it came to its end. @throws HookFailure with the first finding that counts */
export function judge(findings: readonly Finding[], mode: GateMode): void {
  const counting = failing(findings, mode);
  const [first] = counting;
  if (first) fail(first.code, first.message, counting.slice(0, LIMITS.evidence_lines).map(findingLine));
}

/** A finding with its place, as a line. */
export function findingLine({ place, message }: Pick<Finding, 'place' | 'message'>): string {
  return place ? `${place}: ${message}` : message;
}

/** What a hook has left so far, and one value more. @throws DeployError `plugin_flooded` */
export function withOutput(outputs: JsonObject, name: string, value: Json): JsonObject {
  const more = { ...outputs, [name]: structuredClone(value) };
  const bytes = new TextEncoder().encode(JSON.stringify(more)).length;
  if (bytes <= LIMITS.hook_output_bytes) return more;
  throw new DeployError(
    'plugin_flooded',
    `The outputs are ${bytes} bytes of JSON, and may be ${LIMITS.hook_output_bytes}.`,
  );
}

/**
 * What a hook has thrown, as the error that may end its deployment.
 * @param bounded cuts a text that is too long
 */
export function hookError(
  { name, origin }: Pick<Plugin, 'name' | 'origin'>,
  thrown: unknown,
  bounded: (text: string) => string,
): DeployError {
  if (thrown instanceof HookFailure) {
    const { message, evidence } = thrown;
    const code = thrown.code.slice(0, LIMITS.finding_code_length);
    const known = origin === 'built-in' ? tableCode(code) : undefined;
    const gate = isGate(name) ? VALIDATION_GATES[name].code : 'hook_failed';
    return new DeployError(known ?? gate, bounded(message), {
      evidence: evidence.map(bounded),
      plugin: { name, code },
    });
  }
  if (thrown instanceof DeployError) {
    const { code, message, evidence, plugin = { name } } = thrown;
    return new DeployError(code, bounded(message), { evidence: evidence?.map(bounded), plugin, cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new DeployError('hook_failed', bounded(`${name}: ${message}`), { plugin: { name }, cause: thrown });
}

/** What comes with FlukeDeploy may use the codes of its table; others' codes mean whatever they mean. */
function tableCode(code: string): ErrorCode | undefined {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
}
