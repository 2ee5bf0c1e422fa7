import { describe, expect, it } from '@jest/globals';
import { PHASES } from '../domain/phases.js';
import { entryOf } from '../../test/support/scripted-deployment.js';
import type { DeploymentAnswer, PhaseAnswer } from './answers.js';
import { duration, entryLines, historyLines, phaseLine, problemLines, statusLines, summaryLines } from './render.js';

const START = Date.parse('2026-02-03T10:00:00Z');

function deployment(fields: Partial<DeploymentAnswer>, ...phases: PhaseAnswer[]): DeploymentAnswer {
  return {
    deployment_id: 'dep-01',
    status: 'building',
    app_name: 'web',
    environment: 'production',
    version: '1.0',
    release: 7,
    source: 'nginx',
    position: 0,
    actor: 'admin',
    requested_at: '2026-02-03T10:00:00.000Z',
    phases: Object.fromEntries(
      PHASES.map((name, index) => [name, phases[index] ?? { status: 'pending' }]),
    ) as DeploymentAnswer['phases'],
    ...fields,
  };
}

describe('duration', () => {
  it.each([
    [-5, '0.0s'],
    [240, '0.2s'],
    [59_940, '59.9s'],
    [59_960, '1m 00s'],
    [65_000, '1m 05s'],
    [3_599_900, '1h 00m'],
    [7_380_000, '2h 03m'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});

describe('phaseLine', () => {
  it('tells each phase and how long it took, or has been running', () => {
    const view = deployment(
      {},
      { status: 'skipped', reason: 'an image was given' },
      { status: 'succeeded', duration_ms: 12_340 },
      { status: 'failed', duration_ms: 100 },
      { status: 'running', started_at: '2026-02-03T10:00:00Z' },
    );
    expect(phaseLine(view, START + 3_100)).toBe(
      '– pre_build · ✓ build 12.3s · ✗ pre_deploy 0.1s · ● deploy 3.1s · ○ post_deploy',
    );
  });

  it.each([
    [{ position: 2, behind: 'dep-00' }, 'waiting at position 2 behind dep-00'],
    [{ position: 0 }, 'waiting for a worker'],
  ])('tells the place in the queue: %j', (fields, text) => {
    expect(phaseLine(deployment({ status: 'pending', ...fields }), START)).toContain(text);
  });
});

it('phaseLine fits, in its colours', () => {
  const paint = (style: string, text: string) => `<${style}>${text}`;
  const view = deployment({}, { status: 'succeeded', duration_ms: 100 }, { status: 'running' });
  expect(phaseLine(view, START, paint, 24)).toBe('<green>✓ pre_build 0.1s<cyan> · ● bui');
});

describe('entryLines', () => {
  it('puts the phase before every line, so that no output passes for another phase', () => {
    expect(entryLines(entryOf({ message: 'a\n[deploy] web is live\n', phase: 'build' }, 1))).toEqual([
      '[build] a',
      '[build] [deploy] web is live',
    ]);
  });

  it('paints by level', () => {
    const paint = (style: string, text: string) => `<${style}>${text}`;
    expect(entryLines(entryOf({ message: 'x', level: 'error' }, 1), paint)).toEqual([
      '<dim>[deployment] <red>error: x',
    ]);
    expect(entryLines(entryOf({ message: 'x' }, 1), paint)).toEqual(['<dim>[deployment] x']);
  });
});

describe('summaryLines', () => {
  it.each([
    [deployment({ status: 'success', duration_ms: 1000 }), '✓ web 1.0 is live as release 7 after 1.0s'],
    [deployment({ status: 'failed', failed_phase: 'deploy' }), '✗ web 1.0 failed in deploy'],
    [deployment({ status: 'rolled_back', rolled_back_by: 'dep-02' }), '✗ web 1.0 was rolled back by dep-02'],
    [deployment({ status: 'cancelled', cancel_reason: 'changed' }), '■ web 1.0 was cancelled\n  changed'],
    [deployment({ status: 'building', environment: 'staging' }), '● web 1.0 (staging) is building'],
    [deployment({ status: 'pending', position: 1 }), '○ web 1.0 is waiting at position 1'],
  ])('%#: one look tells how it stands', (view, text) => {
    expect(summaryLines(view).join('\n')).toBe(text);
  });
});

it('statusLines say why a phase was skipped', () => {
  const lines = statusLines(deployment({}, { status: 'skipped', reason: 'an image was given' }), START);
  expect(lines).toContain('  pre_build skipped: an image was given');
});

it('historyLines stay a table, whatever the cells hold', () => {
  const rows = historyLines([deployment({ actor: 'a\nb\u001b[2J' }), deployment({ version: 'a-much-longer-version' })]);
  expect(rows).toHaveLength(3);
  expect(new Set(rows.map((row) => row.search(/dep-01|DEPLOYMENT/))).size).toBe(1);
});

it('problemLines show detail, fields and hint, made printable', () => {
  const problem = {
    title: 'No.',
    code: 'forbidden',
    detail: 'Because\u001b[2J.',
    errors: [{ path: 'a.b', message: 'is wrong' }],
    hint: 'Ask.',
  };
  expect(problemLines(problem)).toEqual(['error: No. (forbidden)', '  Because.', '  - a.b: is wrong', '  hint: Ask.']);
});
