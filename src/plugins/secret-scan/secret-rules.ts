/** What a secret is: secretlint's recommended rules, and a few of our own. */
import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintRuleCreator } from '@secretlint/types';
import { OWN_RULES } from './own-rules.js';

// It keeps a record of every file and rule for as long as the process runs.
secretLintProfiler.setEnabled(false);

/** secretlint compares all reports of a file with each other, so their number must have an end. */
const REPORTS_PER_RULE = 50;

export interface Secret {
  /** Name of the rule that found it, such as `github`. */
  readonly rule: string;
  /** What the rule calls it, such as `GITHUB_TOKEN`. */
  readonly kind: string;
  /** Counted from 1. */
  readonly line: number;
  /** The secret itself: to be shown to nobody. */
  readonly value: string;
}

/** `secretlint-disable` comments in the text count. Nothing of secretlint's own messages is used: they quote the secret. */
export async function secretsIn(path: string, text: string): Promise<Secret[]> {
  const { messages } = await lintSource({
    source: { content: text, filePath: path, ext: /\.\w+$/.exec(path)?.[0] ?? '', contentType: 'text' },
    options: { config: CONFIG, noPhysicFilePath: true },
  });
  return messages.map(({ ruleId, messageId, loc, range }) => ({
    rule: ruleId.replace(/^.*secretlint-rule-/, ''),
    kind: messageId,
    line: loc.start.line,
    value: text.slice(...range),
  }));
}

function bounded(rule: SecretLintRuleCreator): SecretLintRuleCreator {
  return {
    ...rule,
    create(context, options) {
      let reports = 0;
      const report: typeof context.report = (found) => {
        if (reports++ < REPORTS_PER_RULE) context.report(found);
      };
      return rule.create({ ...context, report }, options);
    },
  };
}

const CONFIG = { rules: [...rules, ...OWN_RULES].map((rule) => ({ id: rule.meta.id, rule: bounded(rule) })) };
