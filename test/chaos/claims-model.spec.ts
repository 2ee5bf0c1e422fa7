/**
 * The stores under any sequence of orders, claims, commits, deaths and cancels: fast-check makes the sequences and
 * shrinks the one that breaks a promise. A stale fence is written with on purpose, again and again.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ClaimsWorld } from '../support/claims-world.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

const RUNS = 60;
const COMMANDS = 40;
const TIME_LIMIT_MS = 30_000;

let test: TestDatabase;
beforeAll(async () => {
  test = await startTestDatabase();
  // Nothing pulls the plug here, and without waiting for the disk there is time for more sequences.
  await test.database.query(`alter database flukedeploy set synchronous_commit = off`);
});
afterAll(() => test.stop());
