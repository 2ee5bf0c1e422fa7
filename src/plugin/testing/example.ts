/** A plain deployment, its image and its service: what a test sees where it says nothing else. */
import type { PluginDeployment, PluginImage, PluginService } from '../../domain/plugin.js';

export const DEPLOYMENT: PluginDeployment = {
  id: 'dep-01test',
  kind: 'deploy',
  app_name: 'web',
  environment: 'production',
  project: 'default',
  version: 'v1',
  release: 1,
  source: 'an archive',
  actor: { name: 'admin' },
  validation_level: 'basic',
  replicas: 1,
  port: 80,
  domains: [],
  command: [],
  env: [],
  secrets: [],
  ports: [],
  volumes: [],
  resources: {},
  strategy: 'rolling',
  has_health_check: false,
};

export const IMAGE: PluginImage = {
  reference: 'flukedeploy/web:v1',
  digest: `sha256:${'0'.repeat(64)}`,
  size_bytes: 10_000_000,
};

export const SERVICE: PluginService = {
  name: 'web-r1',
  url: 'http://web.apps.example.com',
  tasks: [{ slot: 1, node: 'node-1', address: '10.0.1.5' }],
};
