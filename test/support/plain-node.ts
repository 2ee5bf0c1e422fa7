/** Our TypeScript in a Node process of its own, without Jest: what ends such a process ends nothing else. */

const READS_OURS = `
  import { registerHooks } from 'node:module';
  const isOurs = (name, { parentURL }) => name.startsWith('.') && !parentURL.includes('/node_modules/');
  registerHooks({ resolve: (name, context, next) => next(isOurs(name, context) ? name.replace(/js$/, 'ts') : name, context) });`;

/** Arguments of a Node that runs the script; what it imports of ours, Node reads itself. */
export function argumentsFor(script: string): string[] {
  const options = ['--input-type=module', '--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
  return [...options, '--eval', `${READS_OURS}\n${script}`];
}
