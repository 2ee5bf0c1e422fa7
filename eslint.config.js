/** Lint rules: typescript-eslint's strictest set with type information, and the project's own "never" list. */
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const childProcess = {
  importNames: ['exec', 'execSync', 'default'],
  message: 'Start processes with an argument array (spawn, execFile): no shell.',
};
const processEnvironment = { importNames: ['env', 'default'], message: 'Only src/config.ts reads the environment.' };

const noShell = {
  'no-restricted-imports': [
    'error',
    {
      paths: [
        { name: 'node:child_process', ...childProcess },
        { name: 'child_process', ...childProcess },
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'Property:matches([key.name="shell"], [key.value="shell"]):not([value.raw="false"])',
      message: 'Start processes with an argument array: no shell.',
    },
  ],
};

const impure = 'The domain is pure: time, ids and randomness enter as values.';

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'data/', '.tmp/', 'docs/reference/', 'templates/', 'web/dist/']),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // `_` marks what is left out on purpose: `const { secret: _, ...rest } = …`.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      ...noShell,

      // Off on purpose: `import type` of a class that Nest injects compiles, and fails when the server starts.
      '@typescript-eslint/consistent-type-imports': 'off',
      // A port method is async so that its errors reject; it need not await anything.
      '@typescript-eslint/require-await': 'off',
      // Nest modules are classes with nothing but a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // A DTO class describes the shape of plain data for OpenAPI; answers are literals of that shape.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Numbers in messages read well and cannot surprise.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => stop()` as a callback is plain enough.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/**/*.spec.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: processEnvironment.message },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...noShell['no-restricted-imports'][1].paths,
            { name: 'node:process', ...processEnvironment },
            { name: 'process', ...processEnvironment },
          ],
        },
      ],
    },
  },
  {
    files: ['src/domain/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: impure },
        { object: 'Math', property: 'random', message: impure },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'crypto', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'console'].map(
          (name) => ({ name, message: impure }),
        ),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: impure },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // expect(port.method) names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      // In a test a missing value shall fail the test, which `!` does.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
