import { expect, it } from '@jest/globals';
import { shellCommands } from './shell-commands.js';

it.each<[string, string[][]]>([
  ['', []],
  ['make', [['make']]],
  [
    'cd /a && make -j2 || true; ls | wc\nid & w',
    [['cd', '/a'], ['make', '-j2'], ['true'], ['ls'], ['wc'], ['id'], ['w']],
  ],
  ['echo "a && sudo b" \'; c\'', [['echo', '"a && sudo b"', "'; c'"]]],
  ['echo a\\;b --x="1; 2"', [['echo', 'a\\;b', '--x="1; 2"']]],
  ['A=1 B="x y" apt-get update', [['apt-get', 'update']]],
  ['A=1', []],
  ['echo it"s open', [['echo', 'it', 's', 'open']]],
])('%j', (text, commands) => {
  expect(shellCommands(text)).toEqual(commands);
});
