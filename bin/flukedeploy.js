#!/usr/bin/env node
/** Starts the command line, with the package's own Node where the one that runs this is too old. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const major = (version) => parseInt(version, 10);

function fail(message) {
  console.error(`error: ${message}`);
  process.exitCode = 2;
}

/** Its version is read from its package, so that an old one can never start itself again and again. */
function ownNodeWorks() {
  const description = here('../node_modules/node/package.json');
  return (
    existsSync(description) &&
    existsSync(here('../node_modules/.bin/node')) &&
    major(JSON.parse(readFileSync(description, 'utf8')).version) >= NEEDED
  );
}

/** Ctrl-C reaches both of us; the child decides what it means, and we end as it does. */
function runWithOwnNode() {
  const child = spawn(here('../node_modules/.bin/node'), process.argv.slice(1), { stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal).kill(process.pid, signal);
    else process.exitCode = code;
  });
}

if (major(process.versions.node) < NEEDED) {
  if (ownNodeWorks()) runWithOwnNode();
  else fail(`Node ${NEEDED} or later is needed; this is ${process.versions.node}.`);
} else if (!existsSync(here('../dist/cli/main.js'))) {
  fail('FlukeDeploy is not built yet. Run: script/build');
} else {
  const { main } = await import('../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
}
