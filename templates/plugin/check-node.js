/** Runs before the tests: an older Node cannot read TypeScript, and would pass without having found a test. */
const NEEDED = 24;

if (parseInt(process.versions.node, 10) < NEEDED) {
  console.error(`Node ${NEEDED} or later is needed; this is ${process.versions.node}. FlukeDeploy brings one:`);
  console.error('  PATH="$PWD/node_modules/flukedeploy/node_modules/.bin:$PATH" npm test');
  process.exitCode = 1;
}
