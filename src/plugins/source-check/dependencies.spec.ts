import { describe, expect, it } from '@jest/globals';
import { dependencyFindings } from './dependencies.js';

type Files = Readonly<Record<string, string>>;

const find = (files: Files) => dependencyFindings(async (path) => files[path]);

describe('a lockfile', () => {
  it.each<[string, Files, string]>([
    ['npm', { 'package.json': '{"dependencies": {"a": "1"}}' }, 'package.json'],
    ['npm, for development', { 'package.json': '{"devDependencies": {"a": "1"}}' }, 'package.json'],
    ['poetry', { 'pyproject.toml': '[tool.poetry]\nname = "a"\n' }, 'pyproject.toml'],
    ['uv', { 'pyproject.toml': '[project]\n\n[tool.uv.sources]\n' }, 'pyproject.toml'],
    ['pdm', { 'pyproject.toml': '[tool.pdm]\n' }, 'pyproject.toml'],
    ['pipenv', { Pipfile: '[packages]\na = "*"\n' }, 'Pipfile'],
    ['Go', { 'go.mod': 'module a\n\nrequire (\n\tb v1.0.0\n)\n' }, 'go.mod'],
    ['Rust', { 'Cargo.toml': '[package]\n[dev-dependencies]\na = "1"\n' }, 'Cargo.toml'],
    ['Ruby', { Gemfile: 'source "https://rubygems.org"\ngem "a"\n' }, 'Gemfile'],
    ['PHP', { 'composer.json': '{"require": {"a/b": "^1"}}' }, 'composer.json'],
  ])('is missing: %s', async (_, files, place) => {
    expect(await find(files)).toEqual([
      { code: 'lockfile_missing', place, message: expect.stringMatching(`^${place} asks for dependencies, and`) },
    ]);
  });

  it.each<[string, Files]>([
    ['nothing at all', {}],
    ['npm without dependencies', { 'package.json': '{"name": "a", "dependencies": {}}' }],
    ['poetry', { 'pyproject.toml': '[tool.poetry]\n', 'poetry.lock': '' }],
    ['another build tool of Python', { 'pyproject.toml': '[build-system]\nrequires = ["setuptools"]\n' }],
    ['pipenv', { Pipfile: '[packages]\n', 'Pipfile.lock': '{}' }],
    ['Go', { 'go.mod': 'module a\n\nrequire b v1.0.0\n', 'go.sum': '' }],
    ['Go without dependencies', { 'go.mod': 'module a\n\ngo 1.25\n' }],
    ['Rust', { 'Cargo.toml': '[dependencies]\n', 'Cargo.lock': '' }],
    ['Ruby', { Gemfile: 'gem "a"\n', 'Gemfile.lock': '' }],
    ['PHP', { 'composer.json': '{"require": {"a/b": "^1"}}', 'composer.lock': '{}' }],
  ])('is there, or not needed: %s', async (_, files) => {
    expect(await find(files)).toEqual([]);
  });
});

describe('requirements.txt', () => {
  it('names what has no version of its own, and the first line', async () => {
    const text = '# a comment\nflask==3.0.0\nrequests>=2 # why\nnumpy\nuvicorn[standard]~=0.3\n';
    expect(await find({ 'requirements.txt': text })).toEqual([
      {
        code: 'requirements_unpinned',
        place: 'requirements.txt:3',
        message: 'Without a version of their own: requests, numpy, uvicorn[standard].',
      },
    ]);
  });

  it('takes pinned packages, options, links and local files as they are', async () => {
    const text =
      'a==1 \\\n  --hash=sha256:00\nb[c]===2; python_version < "4"\n-r more.txt\n-e .\n./d\ne @ https://example.com/e.whl\n\n';
    expect(await find({ 'requirements.txt': text })).toEqual([]);
  });
});
