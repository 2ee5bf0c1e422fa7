/** Unit tests stand beside the code; contracts, e2e and chaos stand under test/ and use real Docker, Redis and PostgreSQL. */
const swc = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'es6' },
  },
];
const base = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
/** The bound of one test in milliseconds; a test that needs more says so itself. */
const seconds = 1000;

export default {
  projects: [
    { ...base, displayName: 'unit', roots: ['<rootDir>/src'], testMatch: ['**/*.spec.ts'], testTimeout: 10 * seconds },
    ...[
      ['contracts', 60 * seconds],
      ['e2e', 120 * seconds],
      ['chaos', 180 * seconds],
    ].map(([name, testTimeout]) => ({
      ...base,
      displayName: name,
      roots: ['<rootDir>/test'],
      testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`],
      testTimeout,
    })),
  ],
};
