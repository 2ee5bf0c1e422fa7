/**
 * `notify`: tells Slack, Discord and webhooks how deployments ended. It has no hooks: a hook runs before the end, and what is said
 * there of the end may turn out wrong. `modules/notifications` sends it.
 */
import { definePlugin } from '../../plugin/index.js';
import { notifyOptions } from './notify-options.js';

export const notify = definePlugin({
  name: 'notify',
  apiVersion: 1,
  about: 'Tells Slack, Discord and webhooks how deployments ended.',
  options: notifyOptions,
  hooks: {},
});
