/** Rules in the form of secretlint's, so that its comments count for them, for secrets that its own rules pass over. */
import type { SecretLintRuleCreator } from '@secretlint/types';
import { looksSecret } from '../../domain/secret-patterns.js';

export const ENV_RULE = 'env-file';

/** `.env.example` and its kind are meant to be seen. */
const ENV_FILE = /(?:^|\/)(?:[^/]*\.env|\.env\.(?!example|sample|template|dist|defaults)[^/]*)$/;
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?:"(?<double>[^"\n]+)"|'(?<single>[^'\n]+)'|(?<bare>[^\s"']\S*))/gm;
const SHORTEST_SECRET = 8;
/** Written to be replaced, or by a variable. */
const PLACEHOLDER = /^[<$%{[]|^(?:change|replace|your|insert|enter|example|dummy|placeholder|todo|xxx|\*\*\*)/i;

/** Values that are secret by their names. */
const envFile = rule(ENV_RULE, 'ENV_VALUE', (text, path) => {
  if (!ENV_FILE.test(path)) return [];
  return Array.from(text.matchAll(ASSIGNMENT)).flatMap(({ 0: assignment, index, groups = {} }) => {
    const { name = '', double, single, bare } = groups;
    const value = double ?? single ?? bare ?? '';
    if (!looksSecret(name) || value.length < SHORTEST_SECRET || PLACEHOLDER.test(value)) return [];
    const start = index + assignment.lastIndexOf(value);
    return [[start, start + value.length]];
  });
});

/** Keys of elliptic curves are short, and begin otherwise than those of RSA. */
const ELLIPTIC_KEY = /-----BEGIN (?:EC )?PRIVATE KEY-----[\s\\n]{1,4}M[CH][A-Za-z0-9+/=\s\\]{40,1000}-----END/g;

const ellipticKey = rule('elliptic-key', 'ELLIPTIC_PRIVATE_KEY', (text) =>
  Array.from(text.matchAll(ELLIPTIC_KEY), ({ 0: key, index }) => [index, index + key.length]),
);

export const OWN_RULES: readonly SecretLintRuleCreator[] = [envFile, ellipticKey];

type Range = readonly [start: number, end: number];

/** @param find answers where the secrets are in the text of the file */
function rule(
  name: string,
  kind: string,
  find: (text: string, path: string) => readonly Range[],
): SecretLintRuleCreator {
  const messages = { [kind]: { en: () => 'found a secret' } };
  return {
    meta: { id: `secretlint-rule-${name}`, type: 'scanner', recommended: true, supportedContentTypes: ['text'] },
    messages,
    create(context) {
      const message = context.createTranslator(messages)(kind);
      return {
        file({ content, filePath = '' }) {
          for (const range of find(content, filePath)) context.report({ message, range });
        },
      };
    },
  };
}
