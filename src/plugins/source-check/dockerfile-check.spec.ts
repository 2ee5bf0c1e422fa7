import { describe, expect, it } from '@jest/globals';
import { checkDockerfile, dockerfileProblems } from './dockerfile-check.js';

const problems = (text: string) => dockerfileProblems(text).map(({ line, message }) => `${line}: ${message}`);

describe('a Dockerfile without problems', () => {
  it.each([
    'FROM scratch',
    '\uFEFFFROM scratch\r\nCOPY . /\r\n',
    'ARG VERSION=1\nFROM node:${VERSION} AS build\nFROM build\nCOPY --from=build /a /b\n',
    'from --platform=$BUILDPLATFORM alpine as base\nrun true',
    '# syntax=docker/dockerfile:1.7-labs\n# escape=`\nFROM a\nRUN a `\n  b\n',
    '#syntax = docker.io/docker/dockerfile-upstream:master\nFROM a\n',
    'FROM a\nRUN <<EOF\nfoo\nFROM\nEOF\nCOPY <<-"END" /x\n\tbar\nEND\nUSER x\n',
    'FROM a\nRUN echo a \\\n  # comment\n\n  && b\n',
    'FROM a\n# syntax=evil/frontend\nONBUILD RUN x\n',
  ])('%j', (text) => {
    expect(problems(text)).toEqual([]);
  });
});

describe('problems', () => {
  it.each<[string, string[]]>([
    ['', ['1: there are no instructions']],
    ['\n# only a comment\n', ['1: there are no instructions']],
    ['RUN x\nFROM a\n', ['1: the first instruction must be FROM or ARG']],
    ['ARG a\nARG b\n', ['1: there is no FROM']],
    ['FROM a\n\nFORM b\nRUN x\nCPOY . .\n', ['3: unknown instruction FORM', '5: unknown instruction CPOY']],
    ['FROM\n', ['1: FROM needs an image']],
    ['FROM --platform=linux/arm64\n', ['1: FROM needs an image']],
    ['FROM a b\n', ['1: FROM takes an image, or an image AS a name']],
    ['FROM a AS\n', ['1: FROM takes an image, or an image AS a name']],
    ['FROM a\nONBUILD FORM x\n', ['2: unknown instruction FORM after ONBUILD']],
    ['FROM a\nONBUILD\n', ['2: unknown instruction  after ONBUILD']],
    ['{"schemaVersion": 2}', ['1: unknown instruction {"SCHEMAVERSION":']],
  ])('%j', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it.each([
    '# syntax=evil/frontend\nFROM a\n',
    '#SYNTAX=evil/frontend\nFROM a\n',
    '# syntax=docker/dockerfile.evil.example/x\nFROM a\n',
    '# syntax=evil.example/docker/dockerfile\nFROM a\n',
    '# syntax=docker/dockerfile:1 evil\nFROM a\n',
    '#!/usr/bin/env builder\n# syntax=evil/frontend\nFROM a\n',
    '\uFEFF# syntax=evil/frontend\nFROM a\n',
    '\n\n# a comment\n  # syntax = evil/frontend\r\nFROM a\n',
    '# syntax=\nFROM a\n',
    '// syntax=evil/frontend\nFROM a\n',
    '{"syntax": "evil/frontend"}\nFROM a\n',
  ])('a foreign build program is refused: %j', (text) => {
    expect(problems(text)).not.toEqual([]);
  });
});

it.each([`FROM a\n${'RUN b\n'.repeat(2_000)}`, `FROM a\nRUN ${'b '.repeat(40_000)}`])(
  'a Dockerfile is refused unread when it is too large',
  (text) => {
    expect(problems(text)).toEqual(['1: it has more than 2000 lines or 65536 characters']);
  },
);

it('checkDockerfile throws what a person needs to find the line', () => {
  expect(() => checkDockerfile('FROM a\nFORM b\nCPOY\n', 'docker/Dockerfile')).toThrow(
    expect.objectContaining({
      code: 'dockerfile_invalid',
      message: 'docker/Dockerfile is not valid: line 2: unknown instruction FORM.',
      evidence: ['docker/Dockerfile:2: unknown instruction FORM', 'docker/Dockerfile:3: unknown instruction CPOY'],
    }),
  );
  expect(() => checkDockerfile('FROM a')).not.toThrow();
});
