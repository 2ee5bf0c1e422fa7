/** Unit tests stand beside the code; contracts, e2e and chaos stand under test/ and use real Docker, Redis and PostgreSQL. */
const swc = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      keepClassNames: true,
    },
    module: { type: 'es6' },
  },
];
/** testSeconds bounds one test; a test that needs more says so itself. */
const project = (displayName, roots, testMatch, testSeconds) => ({
  displayName,
  roots,
  testMatch,
  globals: { testSeconds },
  setupFilesAfterEnv: ['<rootDir>/test/support/time-limit.js'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
});

export default {
  testSequencer: '<rootDir>/test/support/longest-first.js',
  projects: [
    project('unit', ['<rootDir>/src'], ['**/*.spec.ts'], 30),
    project('contracts', ['<rootDir>/test'], ['<rootDir>/test/contracts/**/*.spec.ts'], 60),
    project('e2e', ['<rootDir>/test'], ['<rootDir>/test/e2e/**/*.spec.ts'], 120),
    project('chaos', ['<rootDir>/test'], ['<rootDir>/test/chaos/**/*.spec.ts'], 180),
  ],
};
