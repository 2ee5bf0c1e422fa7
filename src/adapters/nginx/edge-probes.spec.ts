import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { argumentsFor } from '../../../test/support/plain-node.js';

/** A process of its own: an error that nobody hears ends it, whatever a test runner makes of that. */
function outcome(script: string): { status: number | null; printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, argumentsFor(script), { encoding: 'utf8' });
  return { status, printed: stdout + stderr };
}

describe('a probe through the edge', () => {
  it('whose time is up before the edge has been found is over, and nothing else is', () => {
    const script = `
      const { EdgeProbes } = await import(${JSON.stringify(new URL('./edge-probes.ts', import.meta.url).href)});
      const probes = new EdgeProbes(() => new Promise((found) => setTimeout(found, 200, '127.0.0.1')), 'fd00::1');
      const probed = probes.http('http://10.0.0.1:3000/', 20, new AbortController().signal);
      console.log(await probed.catch(({ code }) => code));
      await new Promise((later) => setTimeout(later, 100));
      console.log('goes on');`;
    expect(outcome(script)).toEqual({ status: 0, printed: 'edge_unavailable\ngoes on\n' });
  });
});
