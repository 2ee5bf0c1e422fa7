import { describe, expect, it } from '@jest/globals';
import type { Finding } from './hooks.js';
import { failing, gateMode, type GateMode } from './validation-gates.js';

const finding = (severity: Finding['severity']): Finding => ({ severity, code: severity, message: '' });
const FINDINGS = [finding('info'), finding('warning'), finding('error')];

it.each<[GateMode, string[]]>([
  ['off', []],
  ['advise', []],
  ['errors', ['error']],
  ['warnings', ['warning', 'error']],
])('%s: these stop the deployment', (mode, codes) => {
  expect(failing(FINDINGS, mode).map(({ code }) => code)).toEqual(codes);
});

describe('how a plugin is judged', () => {
  it.each([
    ['source-check', 'none', false, 'errors'],
    ['secret-scan', 'none', false, 'off'],
    ['secret-scan', 'basic', false, 'advise'],
    ['secret-scan', 'basic', true, 'errors'],
    ['secret-scan', 'strict', false, 'errors'],
    ['cluster-check', 'strict', true, 'warnings'],
    ['vulnerability-scan', 'basic', false, 'off'],
    ['size-check', 'strict', false, 'off'],
    ['size-check', 'none', true, 'errors'],
    ['size-check', 'strict', true, 'warnings'],
    // No gate, though every object has one of this name.
    ['constructor', 'basic', false, 'off'],
  ] as const)('%s at %s, switched on by name: %s', (plugin, level, isAsked, mode) => {
    expect(gateMode(plugin, level, isAsked)).toBe(mode);
  });
});
