/** Each hook where it passes and where it fails, without a server. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { runHook } from 'flukedeploy/plugin/testing';
import plugin from './plugin.ts';

const source = { Dockerfile: 'FROM scratch', 'assets/film.mp4': 'x'.repeat(3000) };

test('small files pass', async () => {
  const { outcome, logs } = await runHook(plugin, 'pre_build', { source });
  equal(outcome, 'passed');
  deepEqual(logs, [{ level: 'info', message: '2 files were measured' }]);
});

test('a large file stops the deployment', async () => {
  const { outcome, findings } = await runHook(plugin, 'pre_build', { source, options: { largest_file_kb: 2 } });
  equal(outcome, 'failed');
  deepEqual(
    findings.map(({ code, place }) => ({ code, place })),
    [{ code: 'file_too_large', place: 'assets/film.mp4' }],
  );
});

test('a limit must be a number', async () => {
  const { failure } = await runHook(plugin, 'pre_build', { source, options: { largest_file_kb: 'much' } });
  equal(failure?.code, 'plugin_options_invalid');
});

test('a page that is there passes', async () => {
  const { outcome } = await runHook(plugin, 'post_deploy', { options: { path: '/health' }, fetch: { '/health': 200 } });
  equal(outcome, 'passed');
});

test('a page that is missing takes the version back', async () => {
  const { failure } = await runHook(plugin, 'post_deploy', { fetch: { '/': 404 } });
  equal(failure?.code, 'page_missing');
});
