import { describe, expect, it } from '@jest/globals';
import { environmentValue, integer, portMapping, volumeMount } from './option-values.js';

describe('values of options', () => {
  it.each([
    [integer, '30', 30],
    [environmentValue, 'A=b=c d', { A: 'b=c d' }],
    [environmentValue, 'EMPTY=', { EMPTY: '' }],
    [portMapping, '8080:80', [{ host_port: 8080, container_port: 80, protocol: 'tcp' }]],
    [portMapping, '5353:53/udp', [{ host_port: 5353, container_port: 53, protocol: 'udp' }]],
    [volumeMount, 'data:/srv/data', [{ source: 'data', target: '/srv/data', read_only: false }]],
    [volumeMount, '/srv:/data:ro', [{ source: '/srv', target: '/data', read_only: true }]],
  ] as [(text: string) => unknown, string, unknown][])('%p reads %s', (read, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    [integer, ['', '-1', '1.5', 'x', '1e3', '9999999999']],
    [environmentValue, ['A', '=b', '1A=b', 'A-B=c']],
    [portMapping, ['80', 'a:b', '8080:80/sctp', '1:2:3', '127.0.0.1:80:80']],
    [volumeMount, ['data', 'data:', ':/data', 'data:/x:rx']],
  ] as [(text: string) => unknown, string[]][])('%p refuses %j', (read, texts) => {
    for (const text of texts) expect(() => read(text)).toThrow(/^It must be/);
  });

  it('collects what is repeated; the last value of a variable counts', () => {
    expect(environmentValue('A=3', { A: '1', B: '2' })).toEqual({ A: '3', B: '2' });
    expect(portMapping('2:2', portMapping('1:1'))).toHaveLength(2);
    expect(volumeMount('b:/b', volumeMount('a:/a'))).toHaveLength(2);
  });
});
