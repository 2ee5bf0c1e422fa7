import { describe, expect, it } from '@jest/globals';
import { DeployError } from '../../domain/errors.js';
import type { ValidationView } from '../deployments/index.js';
import { ANSWER_BYTES, type NextCall } from './answer.js';
import { PLAN, planAnswer } from './plan-answer.js';
import { errorAnswer } from './tool-error.js';
import { jsonBytes } from './untrusted-text.js';

type Issue = ValidationView['issues'][number];

const HASH = 'f'.repeat(64);
const KEY = '"'.repeat(255);
const VALID: ValidationView = { valid: true, issues: [], plan: [], plan_hash: HASH };
/** Each of its characters takes three bytes. */
const LONG = '語'.repeat(4_000);

const issue = (severity: Issue['severity'], stops: boolean, message = LONG): Issue => ({
  code: 'c'.repeat(200),
  severity,
  stops,
  path: LONG,
  message,
  hint: LONG,
  plugin: 'some-plugin',
});
const warnings = Array.from({ length: 29 }, () => issue('warning', false));
const plan: ValidationView['plan'] = Array.from({ length: 40 }, () => ({
  phase: 'deploy',
  action: 'start',
  summary: LONG,
}));

const BODIES = {
  'five long arguments of a command': { command: Array.from({ length: 5 }, () => 'x'.repeat(4_000)) },
  'the options of a plugin': { plugins: [{ name: 'one', options: { text: 'x'.repeat(16_000) } }] },
  'a hundred domains': {
    domains: Array.from({ length: 100 }, (_, index) => `shop-${index}.${'x'.repeat(60)}.example`),
  },
  'a long reason': { reason: LONG.slice(0, 500) },
  'many fields of middle size': Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`field_${index}`, 'x'.repeat(500)]),
  ),
};

function told(body: object, view: ValidationView) {
  const { structuredContent } = planAnswer('deploy_app', { app_name: 'web', idempotency_key: KEY, ...body }, view);
  expect(jsonBytes(structuredContent)).toBeLessThanOrEqual(ANSWER_BYTES);
  return PLAN.parse(structuredContent);
}

describe('a plan', () => {
  it.each(Object.entries(BODIES))('of an order with %s is told, and names what is to be added', (_, body) => {
    const { next } = told(body, VALID);
    expect(next.arguments).toMatchObject({ app_name: 'web', idempotency_key: KEY, expected_plan_hash: HASH });
    const left = Object.keys(body).filter((name) => !(name in next.arguments));
    expect(left).not.toEqual([]);
    expect(next.why).toContain('Add what is not repeated here: ');
    for (const name of left.slice(0, 20)) expect(next.why).toContain(name);
  });

  it('repeats what is small as it was, and never what is secret', () => {
    const body = { command: ['sleep', '10'], health_check: { path: '/' }, port: 0, auto_rollback: false };
    const { next } = told({ ...body, env: { A: 'b' }, secrets: {}, source: {}, run_tests: true }, VALID);
    expect(next.arguments).toEqual({ app_name: 'web', idempotency_key: KEY, ...body, expected_plan_hash: HASH });
    expect(next.why).toMatch(/ Add what is not repeated here: env, secrets, source\.$/);
    // Cleaned it would be another reason, and another request.
    expect(told({ reason: 'hidden\u200b' }, VALID).next.arguments).not.toHaveProperty('reason');
  });

  it.each(Object.entries(BODIES))(
    'with thirty long issues, of an order with %s, tells what stops it first',
    (_, body) => {
      const issues = [...warnings, issue('error', true)];
      const view = told(body, { valid: false, issues, plan });
      expect(view.issues[0]).toMatchObject({ severity: 'error', stops: true });
      expect(view.issues.length + Number(view['issues_omitted'])).toBe(30);
      expect(view.plan.length + Number(view['plan_omitted'])).toBe(40);
    },
  );

  it('that is short is told whole: what stops it, then by severity', () => {
    const issues = [
      issue('info', false, 'd'),
      issue('warning', false, 'c'),
      issue('error', false, 'b'),
      issue('warning', true, 'a'),
    ].map(({ code, severity, stops, message }) => ({ code: code.slice(0, 20), severity, stops, message }));
    const view = told({}, { valid: false, issues, plan: plan.slice(0, 2) });
    expect(view.issues.map(({ message }) => message)).toEqual(['a', 'b', 'c', 'd']);
    expect(view.plan).toHaveLength(2);
    expect(Object.keys(view)).not.toEqual(expect.arrayContaining([expect.stringContaining('omitted')]));
  });
});

describe('a refusal', () => {
  it.each(['plan_changed', 'approval_required'] as const)(
    '%s keeps the longest key and names what its call lacks',
    (code) => {
      const given = { app_name: 'web', ...BODIES['many fields of middle size'], env: {}, idempotency_key: KEY };
      const { structuredContent } = errorAnswer('deploy_app', given, new DeployError(code));
      const { next } = (structuredContent as { error: { next: NextCall } }).error;
      expect(jsonBytes(structuredContent)).toBeLessThanOrEqual(ANSWER_BYTES);
      expect(next.arguments['idempotency_key']).toBe(KEY);
      expect(next.arguments).not.toHaveProperty('env');
      expect(next.why).toContain(' Add what is not repeated here: ');
    },
  );
});
