import { describe, expect, it } from '@jest/globals';
import * as ws from 'ws';
import { createDeploymentLog, FlukeDeployEventType, type LogRow } from '../../domain/log-entry.js';
import { streamEntry, type StreamEntry } from '../../modules/logs/index.js';
import { Selection } from './log-filter.js';
import { frameParts, textFrame } from './log-frames.js';

/** Exported by ws, but missing in its types. */
const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } };

function entry(position: number, changes: Partial<LogRow> = {}): StreamEntry {
  return streamEntry({
    ...createDeploymentLog({ at: '2026-02-03T10:00:00.000Z', message: `line ${position}`, phase: 'build' }),
    deployment_id: 'dep-1',
    app_name: 'api-server',
    environment: 'production',
    sequence: position,
    cursor: `e1.${position.toString(36)}`,
    status: 'building',
    instance: 'node-1/1',
    ...changes,
  });
}

describe('a text frame', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536, 200_000])('of %i bytes is what ws would send', (length) => {
    const text = 'x'.repeat(length);
    const options = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false };
    expect(textFrame(text).equals(Buffer.concat(Sender.frame(Buffer.from(text), options)))).toBe(true);
  });

  it('counts bytes, not characters', () => {
    expect(textFrame('é→✓').subarray(1)).toEqual(Buffer.concat([Buffer.from([8]), Buffer.from('é→✓')]));
  });
});

describe('the frames of a run of entries', () => {
  const all = new Selection({});

  it('are joined in order', () => {
    const entries = [entry(1), entry(2), entry(3)];
    const parts = frameParts(entries, all, true);
    expect(parts).toHaveLength(1);
    expect(parts[0]?.bytes).toEqual(Buffer.concat(entries.map(({ json }) => textFrame(json))));
    expect(parts[0]?.texts).toEqual(entries.map(({ json }) => json));
    expect(parts[0]?.end).toEqual({ epoch: 'e1', position: 3 });
  });

  it('are parted where they grow large, each part knowing its end', () => {
    const entries = Array.from({ length: 40 }, (_, index) => entry(index + 1, { message: 'x'.repeat(16_000) }));
    const parts = frameParts(entries, all, true);
    expect(parts.map(({ end }) => end.position)).toEqual([8, 16, 24, 32, 40]);
    expect(parts.flatMap(({ texts }) => texts)).toEqual(entries.map(({ json }) => json));
    for (const { bytes } of parts) expect(bytes.length).toBeLessThan(200_000);
  });

  it('leave out what does not match, and are none when nothing does', () => {
    const warnings = new Selection({ level: 'warn' });
    expect(frameParts([entry(1), entry(2)], warnings, true)).toEqual([]);
    const [part] = frameParts([entry(1), entry(2, { level: 'error' }), entry(3)], warnings, true);
    expect(part?.texts).toEqual([entry(2, { level: 'error' }).json]);
  });

  it('hold the end of a deployment once, after its last entry', () => {
    const { DEPLOY_COMPLETE, SCALE_EVENT } = FlukeDeployEventType;
    const lifecycle = { status: 'success', phase: undefined } as unknown as Partial<LogRow>;
    const last = entry(1, { ...lifecycle, event_type: DEPLOY_COMPLETE });
    const later = entry(2, { ...lifecycle, event_type: SCALE_EVENT });
    const notice = '{"type":"end","deployment_id":"dep-1","status":"success"}';
    expect(frameParts([last, later], all, true)[0]?.texts).toEqual([last.json, notice, later.json]);
    expect(frameParts([last, later], all, false)[0]?.texts).toEqual([last.json, later.json]);
    expect(frameParts([last], new Selection({ level: 'error' }), true)[0]?.texts).toEqual([notice]);
    expect(frameParts([last], new Selection({ app_name: 'other' }), true)).toEqual([]);
  });
});

describe('a selection', () => {
  it.each([
    [['api-server'], true],
    [['api-*'], true],
    [['*'], true],
    [['web', '*-server'], true],
    [['api'], false],
    [['server'], false],
    [['api.server'], false],
    [[], false],
  ])('limited to %j sees api-server: %s', (apps, seen) => {
    expect(new Selection({}, apps).matches(entry(1).row)).toBe(seen);
  });

  it('has the same key as another that gets the same bytes', () => {
    const one = new Selection({ app_name: 'a', level: 'info' });
    expect(new Selection({ level: 'info', app_name: 'a' }).key).toBe(one.key);
    expect(new Selection({ app_name: 'a', level: 'info' }, ['a']).key).not.toBe(one.key);
    expect(new Selection({ deployment_id: 'a', level: 'info' }).key).not.toBe(one.key);
  });
});
